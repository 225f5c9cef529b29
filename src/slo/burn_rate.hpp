// How fast a budget is spent: burn rate = (bad / total) / B, where B = 1 − objective. 1 is what the objective
// allows; 14.4 for an hour spends 2 % of a 30-day budget (docs: SLO mathematics).
#pragma once
#include <cstdint>
#include <optional>

#include "slo/counts.hpp"
#include "slo/objective.hpp"

namespace nissa::slo {

// A burn rate to compare with, exactly: 14.4 is 72 / 5.
struct BurnFactor {
  std::uint64_t numerator = 1;
  std::uint64_t denominator = 1;  // 1 to 10^6; the numerator at most 10^9
};
inline constexpr BurnFactor sustainable{1, 1};

// bad · 10^8 · Fd > Fn · budget · total, in 128 bits: exact up to 2^64 events. False without events.
bool burns_faster_than(const BurnFactor& factor, const Counts& counts, const Objective& objective);

// spent / allowed = burn rate: bad · 10^8 / (budget · total), reduced as far as it takes to print exactly what is
// exact: one division of the two as doubles is the nearest double to any short decimal. Both 0 without events.
struct BurnFraction {
  __int128 spent = 0;
  __int128 allowed = 0;
};
BurnFraction burn_fraction(const Counts& counts, const Objective& objective);

// For display only; nullopt without events: 0 / 0 is neither 0 nor 1.
std::optional<double> error_ratio(const Counts& counts);
std::optional<double> burn_rate(const Counts& counts, const Objective& objective);

}  // namespace nissa::slo
