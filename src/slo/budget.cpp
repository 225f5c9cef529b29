#include "slo/budget.hpp"

#include <algorithm>
#include <numeric>

#include "slo/burn_rate.hpp"

namespace nissa::slo {

bool exhausted(const Counts& period, const Objective& objective) {
  return burns_faster_than(sustainable, period, objective);
}

std::optional<double> budget_remaining(const Counts& period, const Objective& objective) {
  if (period.total == 0) return std::nullopt;
  const BurnFraction burn = burn_fraction(period, objective);
  // Not 1 - spent / allowed: of a tenth that is left this would make 0.09999999999999998.
  return static_cast<double>(burn.allowed - burn.spent) / static_cast<double>(burn.allowed);
}

std::optional<double> budget_remaining_projected(const Counts& period, const Objective& objective,
                                                 std::int64_t measured_ms, std::int64_t length_ms) {
  constexpr std::int64_t least_ms = 1000;
  if (period.total == 0) return std::nullopt;
  std::int64_t length = std::max(length_ms, least_ms);
  std::int64_t measured = std::clamp(measured_ms, least_ms, length);
  const std::int64_t common = std::gcd(measured, length);
  length /= common;
  measured /= common;
  const BurnFraction burn = burn_fraction(period, objective);
  // Below 2^91 by less than 2^36: 73 years in ms are no period.
  const __int128 allowed = burn.allowed * length;
  return static_cast<double>(allowed - burn.spent * measured) / static_cast<double>(allowed);
}

}  // namespace nissa::slo
