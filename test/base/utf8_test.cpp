#include "base/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

#include "oracle/literal_utf8.hpp"
#include "support/seed.hpp"

using namespace nissa;

namespace {

bool agree(const std::string& text) {
  const bool literal = test::literal_utf8(text);
  return valid_utf8(as_bytes(text)) == literal && valid_utf8_slow(as_bytes(text)) == literal;
}

}  // namespace

TEST_CASE("every sequence of up to three bytes is judged as the definition judges it") {
  std::size_t wrong = 0;
  for (int a = 0; a < 256; ++a) {
    wrong += !agree({static_cast<char>(a)});
    for (int b = 0; b < 256; ++b) {
      wrong += !agree({static_cast<char>(a), static_cast<char>(b)});
      if (a < 0xc0) continue;  // a continuation or ASCII first: what follows is one of the shorter ones
      for (int c = 0; c < 256; ++c) wrong += !agree({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("longer texts, with the odd byte anywhere, are judged as the definition judges them") {
  auto random = test::random_for(6);
  const std::string pieces[] = {"a", "plain text", "\xc3\xa9", "\xe6\x97\xa5", "\xf0\x9f\x9a\x80", "\xf4\x8f\xbf\xbf"};
  std::size_t wrong = 0;
  std::size_t valid = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t count = random() % 6; count > 0; --count) text += pieces[random() % 6];
    if (!text.empty() && random() % 2 == 0) text[random() % text.size()] = static_cast<char>(random());
    wrong += !agree(text);
    valid += valid_utf8(as_bytes(text));
  }
  CHECK(wrong == 0);
  CHECK(valid >= 4000);
}
