#include "slo/burn_rate.hpp"

#include <numeric>

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

BurnFraction burn_fraction(const Counts& counts, const Objective& objective) {
  // Up to here both products are doubles without rounding, and the two divisions of a gcd (100 ns) are saved.
  constexpr std::uint64_t most_exact = (std::uint64_t{1} << 53) / objective_scale;
  std::uint64_t bad = counts.bad();
  std::uint64_t total = counts.total;
  std::uint64_t scale = objective_scale;
  std::uint64_t budget = objective.budget_parts();
  if (total > most_exact) {
    const std::uint64_t of_counts = std::gcd(bad, total);
    const std::uint64_t of_parts = std::gcd(scale, budget);
    bad /= of_counts;
    total /= of_counts;
    scale /= of_parts;
    budget /= of_parts;
  }
  return {static_cast<__int128>(bad) * scale, static_cast<__int128>(total) * budget};
}

std::optional<double> burn_rate(const Counts& counts, const Objective& objective) {
  if (counts.total == 0) return std::nullopt;
  const BurnFraction burn = burn_fraction(counts, objective);
  return static_cast<double>(burn.spent) / static_cast<double>(burn.allowed);
}

}  // namespace nissa::slo
