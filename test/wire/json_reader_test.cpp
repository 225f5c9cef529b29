#include "wire/json_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nissa;
using wire::JsonKind;
using wire::JsonReader;

namespace {

struct Read {
  bool well_formed = false;
  std::string said;
  Reason reason = Reason::none;
};

Read read_text(std::string_view text) {
  JsonReader reader(text);
  wire::JsonText token;
  Read read;
  if (reader.kind() != JsonKind::text) return read;
  read.well_formed = reader.text(token) && reader.unescape(token, read.said) && reader.kind() == JsonKind::end;
  read.reason = reader.reason();
  return read;
}

}  // namespace

TEST_CASE("a text is what lies before its first quote, wherever that is among the eight bytes looked at together") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string plain(before, '!'), rest(after, '~');
      CHECK(read_text("\"" + plain + rest + "\"").said == plain + rest);
      CHECK(read_text("\"" + plain + "\\\"" + rest + "\"").said == plain + "\"" + rest);
      CHECK(read_text("\"" + plain + "\\\\" + rest + "\"").said == plain + "\\" + rest);
      CHECK(read_text("\"" + plain + "\xc3\xa9" + rest + "\"").said == plain + "\xc3\xa9" + rest);
      CHECK(read_text("\"" + plain + "\xc3" + rest + "\"").reason == Reason::bad_utf8);
      CHECK(read_text("\"" + plain + "\"" + rest + "\"").well_formed == false);
      CHECK(read_text("\"" + plain + rest).reason == Reason::truncated);
      CHECK(read_text("\"" + plain + rest + "\\").reason == Reason::truncated);
    }
  }
}

TEST_CASE("no control character stands in a text as it is") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (int byte = 0; byte < 0x20; ++byte) {
      const std::string text = "\"" + std::string(before, 'x') + static_cast<char>(byte) + "xxxxxxxxxxxx\"";
      CHECK(read_text(text).reason == Reason::bad_json);
    }
  }
}

TEST_CASE("an excerpt is short, is text and keeps whole characters") {
  CHECK(wire::excerpt("plain") == "plain");
  CHECK(wire::excerpt(std::string(40, 'x')) == std::string(40, 'x'));
  CHECK(wire::excerpt(std::string(41, 'x')) == std::string(37, 'x') + "...");
  CHECK(wire::excerpt(std::string(36, 'x') + "\xf0\x9f\x9a\x80y") == std::string(36, 'x') + "...");
  CHECK(wire::excerpt("a\nb\xff") == "a?b?");
}
