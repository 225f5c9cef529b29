// What is left of an error budget over its period.
#pragma once
#include <cstdint>
#include <optional>

#include "base/time_types.hpp"
#include "slo/counts.hpp"
#include "slo/objective.hpp"

namespace nissa::slo {

// More failed than the objective allows: bad > B · total, in integers. False without events; false at exactly 0 left.
bool exhausted(const Counts& period, const Objective& objective);

// 1 − e / B of the period. Signed, never clamped: −1.5 means two and a half budgets are gone. Display only; nullopt
// without events.
std::optional<double> budget_remaining(const Counts& period, const Objective& objective);

// 1 − b · c / (B · n · L): the same, as if the unmeasured rest of the period were good at the measured rate. L =
// length_ms: the period's length from its start or from `born`, the later; c = measured_ms: the measured part of it so
// far. Both are taken as at least 1 s, and c as at most L. nullopt without events.
std::optional<double> budget_remaining_projected(const Counts& period, const Objective& objective,
                                                 std::int64_t measured_ms, std::int64_t length_ms);

}  // namespace nissa::slo
