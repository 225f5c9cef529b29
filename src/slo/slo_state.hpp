// The one word for how an SLO fares.
#pragma once
#include <cstdint>
#include <string_view>

#include "slo/counts.hpp"
#include "slo/objective.hpp"
#include "slo/window_sums.hpp"

namespace nissa::slo {

enum class SloState : std::uint8_t {
  no_data,    // nothing was counted in its period: neither good nor bad
  healthy,    //
  burning,    // spends faster than its objective allows, over the last hour and still over the last 5 min
  exhausted,  // more failed in its period than the objective allows
};

constexpr std::string_view name_of(SloState state) {
  switch (state) {
    case SloState::no_data:
      return "no_data";
    case SloState::healthy:
      return "healthy";
    case SloState::burning:
      return "burning";
    case SloState::exhausted:
      return "exhausted";
  }
  return "unknown";
}

// In integers. `period`: the counts of the SLO's own period (that of 30 d is the last of `sums`).
SloState state_of(const WindowCounts& sums, const Counts& period, const Objective& objective);

}  // namespace nissa::slo
