#include "slo/burn_rate.hpp"

namespace nissa::slo {

bool burns_faster_than(const BurnFactor& factor, const Counts& counts, const Objective& objective) {
  using Wide = unsigned __int128;
  return Wide{counts.bad()} * objective_scale * factor.denominator >
         Wide{factor.numerator} * objective.budget_parts() * counts.total;
}

std::optional<double> error_ratio(const Counts& counts) {
  if (counts.total == 0) return std::nullopt;
  return static_cast<double>(counts.bad()) / static_cast<double>(counts.total);
}

std::optional<double> burn_rate(const Counts& counts, const Objective& objective) {
  if (counts.total == 0) return std::nullopt;
  // One division, so that exact rates print exactly.
  return static_cast<double>(counts.bad()) * static_cast<double>(objective_scale) /
         (static_cast<double>(counts.total) * static_cast<double>(objective.budget_parts()));
}

}  // namespace nissa::slo
