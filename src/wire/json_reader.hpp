// A JSON text (RFC 8259), token by token, strictly: what a token is and whether it is well-formed, not what it means.
// Pure; looks at the text, copies nothing, does not recurse. The first fault ends the reading.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/json_fault.hpp"
#include "wire/json_number.hpp"

namespace nissa::wire {

// By the first character of a token; of the words all. `end`: nothing follows. `nothing`: no JSON begins so.
enum class JsonKind : std::uint8_t {
  object,
  array,
  text,
  number,
  true_word,
  false_word,
  null_word,
  mark,
  end,
  nothing
};

// Between the quotes, proven to be UTF-8; its escapes are not looked at yet.
struct JsonText {
  std::string_view raw;
  bool escaped = false;
};

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

  // Each of these passes white space first. Kind and place of the next token:
  JsonKind kind();
  const char* next() {
    while (at_ != end_ && is_space(*at_)) ++at_;
    return at_;
  }
  // Goes past one of { } [ ] : , if it is the next.
  bool take(char mark) {
    if (next() == end_ || *at_ != mark) return false;
    ++at_;
    return true;
  }
  // Goes past null, if it is the next.
  bool take_null();

  // The next token, which is of this kind; false with a fault if it is not well-formed.
  bool text(JsonText& text);
  bool number(JsonNumber& number);
  bool word(JsonKind kind);
  // What `text`, one of this reader's, says with its escapes resolved; at most as many bytes as it has.
  bool unescape(const JsonText& text, std::string& out);

  // Each notes the fault and returns false. `at`: the first byte of the token at fault.
  bool fail(Reason reason, const char* at, std::string message);
  // The next token is not what was expected: truncated, bad_json, or `otherwise` where it is another kind of value.
  bool fail_expecting(std::string_view expected, Reason otherwise);

  std::size_t offset_of(const char* at) const { return static_cast<std::size_t>(at - begin_); }
  Reason reason() const { return reason_; }
  const char* fault_at() const { return fault_; }
  std::string take_message() { return std::move(message_); }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  bool behind_comma() const;
  std::string found();
  bool escape(std::string_view& rest, const char* token, std::string& out);

  const char* begin_;
  const char* at_;
  const char* end_;
  const char* fault_ = nullptr;
  Reason reason_ = Reason::none;
  std::string message_;
};

// Of what came from outside, for a message: at most 40 bytes, no control characters, UTF-8.
std::string excerpt(std::string_view text);

}  // namespace nissa::wire
