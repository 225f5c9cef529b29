#include "tools/time_text.hpp"

#include <array>

namespace nissa::tools {
namespace {

// Eats a text from its front; once something is not as expected, it stays failed.
class Eater {
 public:
  explicit Eater(std::string_view text) : rest_(text) {}
  // Exactly `digits` digits.
  int number(int digits) {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return fail(), 0;
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_[0]) == std::string_view::npos) return fail(), '\0';
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  std::string_view take(std::size_t size) {
    if (rest_.size() < size) return fail(), std::string_view();
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool next_is(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool next_is_digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }
  void fail() {
    failed_ = true;
    rest_ = {};
  }
  bool good_to_the_end() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct Parts {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset_minutes = 0;
  std::int64_t nanosecond = 0;
};

// Days since 1970-01-01 in the proleptic Gregorian calendar.
// https://howardhinnant.github.io/date_algorithms.html#days_from_civil
std::int64_t days_from_civil(int year, int month, int day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

std::optional<UnixNs> to_unix(const Parts& p) {
  constexpr std::array<int, 12> days_in{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (p.year < 1970 || p.year > 2200 || p.month < 1 || p.month > 12) return std::nullopt;
  const bool leap = (p.year % 4 == 0 && p.year % 100 != 0) || p.year % 400 == 0;
  const int days = p.month == 2 && !leap ? 28 : days_in[static_cast<std::size_t>(p.month) - 1];
  if (p.day < 1 || p.day > days || p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
  const std::int64_t minutes = (days_from_civil(p.year, p.month, p.day) * 24 + p.hour) * 60 + p.minute;
  return ((minutes - p.offset_minutes) * 60 + p.second) * ns_per_s + p.nanosecond;
}

int read_offset(Eater& text, bool colon) {
  const int sign = text.one_of("+-") == '-' ? -1 : 1;
  const int hours = text.number(2);
  if (colon) text.one_of(":");
  const int minutes = text.number(2);
  if (hours > 23 || minutes > 59) text.fail();
  return sign * (hours * 60 + minutes);
}

std::int64_t read_fraction(Eater& text) {
  std::int64_t value = 0, scale = ns_per_s;
  if (!text.next_is_digit()) text.fail();
  while (text.next_is_digit()) {
    const int digit = text.number(1);
    if (scale == 1) continue;
    scale /= 10;
    value += digit * scale;
  }
  return value;
}

}  // namespace

std::optional<UnixNs> parse_rfc3339(std::string_view whole) {
  Eater text(whole);
  Parts p;
  p.year = text.number(4);
  text.one_of("-");
  p.month = text.number(2);
  text.one_of("-");
  p.day = text.number(2);
  text.one_of("Tt ");
  p.hour = text.number(2);
  text.one_of(":");
  p.minute = text.number(2);
  text.one_of(":");
  p.second = text.number(2);
  if (text.next_is('.')) {
    text.one_of(".");
    p.nanosecond = read_fraction(text);
  }
  if (text.next_is('Z') || text.next_is('z'))
    text.one_of("Zz");
  else
    p.offset_minutes = read_offset(text, true);
  return text.good_to_the_end() ? to_unix(p) : std::nullopt;
}

std::optional<UnixNs> parse_time_local(std::string_view whole) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  Eater text(whole);
  Parts p;
  p.day = text.number(2);
  text.one_of("/");
  const auto month = months.find(text.take(3));
  text.one_of("/");
  p.year = text.number(4);
  text.one_of(":");
  p.hour = text.number(2);
  text.one_of(":");
  p.minute = text.number(2);
  text.one_of(":");
  p.second = text.number(2);
  text.one_of(" ");
  p.offset_minutes = read_offset(text, false);
  if (!text.good_to_the_end() || month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  p.month = static_cast<int>(month / 3) + 1;
  return to_unix(p);
}

}  // namespace nissa::tools
