#include "slo/slo_state.hpp"

#include "slo/budget.hpp"
#include "slo/burn_rate.hpp"

namespace nissa::slo {

SloState state_of(const WindowCounts& sums, const Counts& period, const Objective& objective) {
  if (period.total == 0) return SloState::no_data;
  if (exhausted(period, objective)) return SloState::exhausted;
  const bool burning = burns_faster_than(sustainable, sums[window_1h], objective) &&
                       burns_faster_than(sustainable, sums[window_5m], objective);
  return burning ? SloState::burning : SloState::healthy;
}

}  // namespace nissa::slo
