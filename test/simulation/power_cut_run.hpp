// One short life of a node on the real journal, with power cuts and failing syncs: a birth, two agents with some dozen
// batches, starts; then a fault-free phase in which all is settled, and a last cut that leaves nothing but what was
// synced.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "support/power_cut_vfs.hpp"

namespace nissa::simulation {

struct PowerCutPlan {
  std::uint64_t seed = 0;
  // Cuts at random, of commits and starts, and a disk that fails by chance. Else nothing happens but the last cut and:
  bool at_random = false;
  std::uint64_t cut_at_sync = 0;    // the power goes at this one, from the birth on; 0: never
  std::uint64_t fail_at_sync = 0;   // this one fails
  std::uint64_t failing_syncs = 1;  // and so many from there, of any file, until nothing fails any more
  test::PowerCutDisk::Aftermath aftermath;
  double deaths = 0;  // in each of the three rounds; half of them of the process alone, which reads what it has written
  bool lies = false;  // syncs do nothing
  test::Survival survival = test::Survival::drawn;
};
inline constexpr std::uint64_t all_syncs = 1'000'000;

struct PowerCutReport {
  std::vector<std::string> failures;  // empty: it holds
  std::uint64_t cuts = 0;
  std::uint64_t starts = 0;
  std::uint64_t rewrites = 0;          // new files that took over
  std::uint64_t failed_groups = 0;     // told so
  std::uint64_t acknowledged = 0;      // keys, each of them counted once in the end
  std::uint64_t lost_unpromised = 0;   // groups that a start did not find, and nobody was promised
  std::uint64_t kept_unpromised = 0;   // that it found
  std::uint64_t syncs_of_start = 0;    // until the first start was through
  std::uint64_t syncs_of_life = 0;     // until the fault-free phase
  std::uint64_t syncs = 0;             // until all was settled
  std::string failed_to_sync;          // the first file that did
  std::uint64_t operations_since = 0;  // from there until all was settled
};

PowerCutReport run_power_cuts(const PowerCutPlan& plan);

}  // namespace nissa::simulation
