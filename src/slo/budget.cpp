#include "slo/budget.hpp"

#include <algorithm>

#include "slo/burn_rate.hpp"

namespace nissa::slo {

bool exhausted(const Counts& period, const Objective& objective) {
  return burns_faster_than(sustainable, period, objective);
}

std::optional<double> budget_remaining(const Counts& period, const Objective& objective) {
  const std::optional<double> spent = burn_rate(period, objective);
  if (!spent) return std::nullopt;
  return 1.0 - *spent;
}

std::optional<double> budget_remaining_projected(const Counts& period, const Objective& objective,
                                                 std::int64_t measured_ms, std::int64_t length_ms) {
  constexpr std::int64_t least_ms = 1000;
  const std::optional<double> spent = burn_rate(period, objective);
  if (!spent) return std::nullopt;
  const std::int64_t length = std::max(length_ms, least_ms);
  const std::int64_t measured = std::clamp(measured_ms, least_ms, length);
  return 1.0 - *spent * static_cast<double>(measured) / static_cast<double>(length);
}

}  // namespace nissa::slo
