#include "admin/json_text.hpp"

#include <charconv>
#include <cmath>

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

std::string hex_quoted(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  const auto size = static_cast<std::size_t>(end - digits);
  return '"' + std::string(sizeof digits - size, '0') + std::string(digits, size) + '"';
}

}  // namespace nissa::admin
