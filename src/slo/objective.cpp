#include "slo/objective.hpp"

namespace nissa::slo {
namespace {

constexpr unsigned percent_decimals = 6;

std::unexpected<Error> refused(std::string_view text, std::string_view why) {
  return failure("objective \"" + std::string(text) + "\": " + std::string(why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_percent_sign(std::string_view text) {
  if (!text.empty() && text.back() == '%') {
    text.remove_suffix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  }
  return text;
}

}  // namespace

Result<Objective> Objective::parse(std::string_view text) {
  constexpr std::string_view expected = "expected a percentage as a plain decimal, for example \"99.9 %\"";
  const std::string_view number = without_percent_sign(text);
  std::uint64_t parts = 0;
  unsigned decimals = 0;
  bool digits = false;
  bool point = false;
  for (const char c : number) {
    if (c == '.' && !point && digits) {
      point = true;
      continue;
    }
    if (!is_digit(c)) return refused(text, expected);
    if (point && decimals == percent_decimals) {
      if (c != '0') return refused(text, "has more than six decimals");
      continue;
    }
    digits = true;
    decimals += point ? 1 : 0;
    parts = parts * 10 + static_cast<std::uint64_t>(c - '0');
    if (parts > 100 * objective_scale) return refused(text, "must be less than 100 %");
  }
  if (!digits || number.back() == '.') return refused(text, expected);
  for (; decimals < percent_decimals; ++decimals) parts *= 10;
  if (parts == objective_scale) {
    return refused(text, "100 % leaves no error budget; the highest objective is 99.999999 %");
  }
  if (parts > objective_scale) return refused(text, "must be less than 100 %");
  if (parts == 0) return refused(text, "must be more than 0 %");
  return Objective(parts);
}

Result<Objective> Objective::from_parts(std::uint64_t parts) {
  if (parts == 0 || parts >= objective_scale) {
    return failure("objective of " + std::to_string(parts) + " parts: expected 1 to 99999999 of 10^8");
  }
  return Objective(parts);
}

std::string Objective::to_string() const {
  constexpr std::uint64_t percent = objective_scale / 100;
  std::string decimals = std::to_string(percent + parts_ % percent).substr(1);
  while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
  return std::to_string(parts_ / percent) + (decimals.empty() ? "" : "." + decimals);
}

}  // namespace nissa::slo
