#include "admin/json_text.hpp"

#include <charconv>
#include <cmath>

#include "base/hex_text.hpp"

namespace nissa::admin {
namespace {

template <class Number>
void append(std::string& out, Number value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  append(out, value);
}
void append_number(std::string& out, std::int64_t value) { append(out, value); }
void append_number(std::string& out, std::uint64_t value) { append(out, value); }
void append_number(std::string& out, const std::optional<double>& value) {
  if (value)
    append_number(out, *value);
  else
    out += "null";
}

std::string hex_quoted(std::uint64_t number) { return '"' + hex_text(number) + '"'; }

}  // namespace nissa::admin
