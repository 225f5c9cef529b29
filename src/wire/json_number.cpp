#include "wire/json_number.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

namespace nissa::wire {
namespace {

constexpr double two_to_64 = 18446744073709551616.0;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool scan_number(const char*& at, const char* end, JsonNumber& number) {
  constexpr std::ptrdiff_t always_fit = 19, may_fit = 20;  // digits, in 64 bits
  constexpr std::string_view largest = "18446744073709551615";
  const char* const start = at;
  number = {};
  if (at != end && *at == '-') {
    number.negative = true;
    ++at;
  }
  const char* const digits = at;
  for (; at != end && is_digit(*at); ++at)
    number.magnitude = number.magnitude * 10 + static_cast<std::uint64_t>(*at - '0');
  const std::ptrdiff_t count = at - digits;
  if (count == 0) return false;
  if (*digits == '0' && count > 1) return at = digits, false;
  number.whole = true;
  number.fits = count <= always_fit || (count == may_fit && std::string_view(digits, may_fit) <= largest);
  const auto more_digits = [&] {
    if (at == end || !is_digit(*at)) return false;
    while (at != end && is_digit(*at)) ++at;
    number.whole = false;
    return true;
  };
  if (at != end && *at == '.') {
    ++at;
    if (!more_digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!more_digits()) return false;
  }
  number.text = {start, static_cast<std::size_t>(at - start)};
  return true;
}

bool to_double(const JsonNumber& number, double& value) {
  const char* const end = number.text.data() + number.text.size();
  const auto [stop, error] = std::from_chars(number.text.data(), end, value);
  // Too large or too small: from_chars does not say which.
  if (error == std::errc::result_out_of_range) value = std::strtod(std::string(number.text).c_str(), nullptr);
  return std::isfinite(value);
}

bool make_whole(JsonNumber& number) {
  if (number.whole) return true;
  double value = 0;
  if (!to_double(number, value) || std::trunc(value) != value) return false;
  number.whole = true;
  number.fits = std::fabs(value) < two_to_64;
  if (number.fits) number.magnitude = static_cast<std::uint64_t>(std::fabs(value));
  return true;
}

}  // namespace nissa::wire
