#include "config/toml_nesting.hpp"

namespace nissa::config {
namespace {

class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  std::optional<DeepNesting> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        skip_to_end_of_line();
        continue;
      }
      take(c);
      if (open_ > most_nested) return here("levels of brackets and braces");
      if (dots_ >= most_nested) return here("parts of a dotted key");
      step();
    }
    return std::nullopt;
  }

 private:
  void take(char c) {
    switch (c) {
      case '\n':
        if (header_) open_ = 0;  // a header ends with its line, whatever is wrong in it
        header_ = false;
        dots_ = 0;
        line_has_begun_ = false;
        return;
      case '[':
      case '{':
        header_ = header_ || (c == '[' && open_ == 0 && !line_has_begun_);
        ++open_;
        dots_ = 0;
        break;
      case ']':
      case '}':
        if (open_ > 0) --open_;
        dots_ = 0;
        break;
      case ',':
      case '=':
        dots_ = 0;
        break;
      case '.':
        ++dots_;
        break;
      case ' ':
      case '\t':
      case '\r':
        return;
      default:
        break;
    }
    line_has_begun_ = true;
  }

  // `"…"`, `'…'`, or three of either; one that is not closed ends with its line, or with the text.
  void skip_string(char quote) {
    line_has_begun_ = true;
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool many_lines = text_.substr(at_).starts_with(three);
    for (int i = 0; i < (many_lines ? 3 : 1); ++i) step();
    while (at_ < text_.size()) {
      if (many_lines ? text_.substr(at_).starts_with(three) : text_[at_] == quote) break;
      if (!many_lines && text_[at_] == '\n') return;
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') step();
      step();
    }
    // Of up to five quotes at the end of a long string the first two are its own.
    for (int i = 0; i < (many_lines ? 5 : 1) && at_ < text_.size() && text_[at_] == quote; ++i) step();
  }
  void skip_to_end_of_line() {
    while (at_ < text_.size() && text_[at_] != '\n') step();
  }

  void step() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column_;
    }
  }
  DeepNesting here(const char* what) const { return {line_, column_, what}; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
  std::size_t open_ = 0;
  std::size_t dots_ = 0;
  bool header_ = false;          // this line is [name] or [[name]]
  bool line_has_begun_ = false;  // with something that is no space
};

}  // namespace

std::optional<DeepNesting> find_deep_nesting(std::string_view text) { return Scan(text).run(); }

}  // namespace nissa::config
