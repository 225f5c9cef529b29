#include "wire/json_reader.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <utility>

#include "base/utf8.hpp"

namespace nissa::wire {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// What may not follow a number or a word, for it would belong to it.
bool is_word_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '+' ||
         c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

// The high bit of each byte that is a quote, a backslash or a control character. Exact up to the first of them, which
// is the one that counts: borrows go upwards only. (Hacker's Delight, 6-1.)
std::uint64_t ends_of_plain(std::uint64_t word) {
  const auto zeros = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes & highs; };
  return zeros(word ^ ones * '"') | zeros(word ^ ones * '\\') | ((word - ones * 0x20) & ~word & highs);
}

bool ends_plain(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

// Moves `at` to the first byte that is not plain; the high bits of what was passed are gathered in `seen`.
void pass_plain(const char*& at, const char* end, std::uint64_t& seen) {
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t stops = ends_of_plain(word);
    if (stops != 0) {
      const int bits = std::countr_zero(stops) & ~7;
      seen |= word & ((std::uint64_t{1} << bits) - 1);
      at += bits / 8;
      return;
    }
    seen |= word;
    at += 8;
  }
  for (; at != end && !ends_plain(*at); ++at) seen |= static_cast<unsigned char>(*at);
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3f)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

// The four digits behind \u.
bool take_hex(std::string_view& rest, std::uint32_t& unit) {
  if (rest.size() < 4) return false;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + 4, unit, 16);
  if (error != std::errc() || end != rest.data() + 4) return false;
  rest.remove_prefix(4);
  return true;
}

bool is_high_surrogate(std::uint32_t unit) { return unit >> 10 == 0xd800 >> 10; }
bool is_low_surrogate(std::uint32_t unit) { return unit >> 10 == 0xdc00 >> 10; }

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 40;
  std::size_t size = text.size();
  if (size > most) {
    size = most - 3;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  }
  std::string out(text.substr(0, size));
  const bool is_text = valid_utf8(as_bytes(out));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (!is_text && static_cast<unsigned char>(c) >= 0x80))
      c = '?';
  return size < text.size() ? out + "..." : out;
}

// ------------------------------------------------------------------------------------------- tokens

namespace {

constexpr std::array<std::pair<JsonKind, std::string_view>, 3> words{
    {{JsonKind::true_word, "true"}, {JsonKind::false_word, "false"}, {JsonKind::null_word, "null"}}};

// How many bytes look like one word or number from `at` on.
std::size_t word_size(const char* at, const char* end) {
  const char* stop = at;
  while (stop != end && is_word_byte(*stop)) ++stop;
  return static_cast<std::size_t>(stop - at);
}

}  // namespace

JsonKind JsonReader::kind() {
  if (next() == end_) return JsonKind::end;
  switch (*at_) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::array;
    case '"':
      return JsonKind::text;
    case '-':
      return JsonKind::number;
    case '}':
    case ']':
    case ':':
    case ',':
      return JsonKind::mark;
    default:
      break;
  }
  if (is_digit(*at_)) return JsonKind::number;
  const std::string_view word(at_, word_size(at_, end_));
  for (const auto& [kind, spelling] : words)
    if (word == spelling) return kind;
  return JsonKind::nothing;
}

bool JsonReader::take_null() {
  if (next() == end_ || *at_ != 'n' || kind() != JsonKind::null_word) return false;
  at_ += 4;
  return true;
}

bool JsonReader::word(JsonKind kind) {
  if (this->kind() != kind) return false;
  at_ += word_size(at_, end_);
  return true;
}

bool JsonReader::text(JsonText& text) {
  const char* const start = next();
  const char* at = start + 1;
  std::uint64_t seen = 0;
  text.escaped = false;
  for (;;) {
    pass_plain(at, end_, seen);
    if (end_ - at < 1 || (*at == '\\' && end_ - at < 2)) {
      return fail(Reason::truncated, start, "expected a closing quote, found the end of the text");
    }
    if (*at == '"') break;
    if (*at != '\\') {
      return fail(Reason::bad_json, start, "expected an escape as \\n, found a control character in a text");
    }
    text.escaped = true;
    at += 2;
    // What stands behind a backslash may itself be the first byte of a longer character, which unescape() refuses.
  }
  text.raw = {start + 1, static_cast<std::size_t>(at - start - 1)};
  at_ = at + 1;
  if ((seen & highs) == 0 || valid_utf8_slow(as_bytes(text.raw))) return true;
  return fail(Reason::bad_utf8, start, "expected UTF-8, found \"" + excerpt(text.raw) + "\"");
}

bool JsonReader::unescape(const JsonText& text, std::string& out) {
  out.clear();
  for (std::string_view rest = text.raw; !rest.empty();) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (!rest.empty() && !escape(rest, text.raw.data() - 1, out)) return false;
  }
  return true;
}

// `rest` begins with a backslash, behind which there is at least one byte.
bool JsonReader::escape(std::string_view& rest, const char* token, std::string& out) {
  constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  const std::string_view from = rest;
  const char letter = rest[1];
  rest.remove_prefix(2);
  if (const std::size_t known = letters.find(letter); known != letters.npos) {
    out += meanings[known];
    return true;
  }
  std::uint32_t unit = 0;
  if (letter != 'u' || !take_hex(rest, unit)) {
    return fail(Reason::bad_json, token,
                "expected an escape as \\n or \\u00e9, found \"" + excerpt(from.substr(0, 6)) + "\"");
  }
  if (is_high_surrogate(unit) && rest.starts_with("\\u")) {
    std::uint32_t low = 0;
    rest.remove_prefix(2);
    if (take_hex(rest, low) && is_low_surrogate(low)) {
      append_utf8(out, 0x10000 + ((unit & 0x3ff) << 10 | (low & 0x3ff)));
      return true;
    }
  }
  if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
    return fail(Reason::bad_utf8, token,
                "expected two surrogates, one behind the other, found a lone one: " + excerpt(from.substr(0, 12)));
  }
  append_utf8(out, unit);
  return true;
}

bool JsonReader::number(JsonNumber& number) {
  const char* const start = next();
  const char* at = start;
  const bool is_number = scan_number(at, end_, number);
  if (!is_number && at == end_) return fail(Reason::truncated, start, "expected a number, found the end of the text");
  if (!is_number || (at != end_ && is_word_byte(*at))) {
    return fail(Reason::bad_json, start,
                "expected a number as 12, -3 or 1.5e3 (no leading zeros), found \"" +
                    excerpt({start, std::max<std::size_t>(word_size(start, end_), 1)}) + "\"");
  }
  at_ = at;
  return true;
}

// ------------------------------------------------------------------------------------------- faults

bool JsonReader::fail(Reason reason, const char* at, std::string message) {
  reason_ = reason;
  fault_ = at;
  message_ = std::move(message);
  return false;
}

bool JsonReader::fail_expecting(std::string_view expected, Reason otherwise) {
  const JsonKind there = kind();
  const Reason reason = there == JsonKind::end                                  ? Reason::truncated
                        : there == JsonKind::nothing || there == JsonKind::mark ? Reason::bad_json
                                                                                : otherwise;
  return fail(reason, at_, "expected " + std::string(expected) + ", found " + found());
}

bool JsonReader::behind_comma() const {
  const char* at = at_;
  while (at != begin_ && is_space(at[-1])) --at;
  return at != begin_ && at[-1] == ',';
}

std::string JsonReader::found() {
  const JsonKind there = kind();
  switch (there) {
    case JsonKind::object:
      return "an object";
    case JsonKind::array:
      return "an array";
    case JsonKind::text: {
      const char* at = at_ + 1;
      std::uint64_t seen = 0;
      pass_plain(at, end_, seen);
      return "the text \"" + excerpt({at_ + 1, static_cast<std::size_t>(at - at_ - 1)}) + "\"";
    }
    case JsonKind::number:
      return "the number " + excerpt({at_, word_size(at_, end_)});
    case JsonKind::true_word:
    case JsonKind::false_word:
    case JsonKind::null_word:
      return std::string(at_, word_size(at_, end_));
    case JsonKind::mark:
      return std::string(1, *at_) + (behind_comma() ? " behind a comma (JSON has no trailing comma)" : "");
    case JsonKind::end:
      return "the end of the text";
    case JsonKind::nothing:
      break;
  }
  if (*at_ == '/' || *at_ == '#') return std::string(1, *at_) + " (JSON has no comments)";
  if (std::string_view(at_, end_).starts_with("\xef\xbb\xbf")) return "a byte order mark (JSON has none)";
  if (*at_ == '\'') return "' (JSON has double quotes only)";
  return "\"" + excerpt({at_, std::max<std::size_t>(word_size(at_, end_), 1)}) + "\"";
}

}  // namespace nissa::wire
