// One short life of a node on the real journal, with power cuts: a birth, two agents with some dozen batches, starts;
// then a fault-free phase in which all is settled, and a last cut that leaves nothing but what was synced.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "support/power_cut_vfs.hpp"

namespace nissa::simulation {

struct PowerCutPlan {
  std::uint64_t seed = 0;
  // The one cut, at this sync from the birth on; 0: cuts at random, of commits and starts, and a disk that fails.
  std::uint64_t at_sync = 0;
  test::Survival survival = test::Survival::drawn;
  bool calm = false;  // no cut but the last
  bool lies = false;  // syncs do nothing
};

struct PowerCutReport {
  std::vector<std::string> failures;  // empty: it holds
  std::uint64_t cuts = 0;
  std::uint64_t starts = 0;
  std::uint64_t rewrites = 0;         // new files that took over
  std::uint64_t acknowledged = 0;     // keys, each of them counted once in the end
  std::uint64_t lost_unpromised = 0;  // groups that a start did not find, and nobody was promised
  std::uint64_t kept_unpromised = 0;  // that it found
  std::uint64_t syncs = 0;            // until all was settled
};

PowerCutReport run_power_cuts(const PowerCutPlan& plan);

}  // namespace nissa::simulation
