// One seed: a swarm's draw of chances, agents, a node, faults; then a fault-free phase in which all must settle.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace nissa::simulation {

struct RunReport {
  std::vector<std::string> failures;  // empty: it holds
  std::uint64_t batches = 0;
  std::uint64_t counted = 0;
  std::uint64_t records = 0;
  std::uint64_t starts = 0;
  std::uint64_t snapshots_loaded = 0;
  std::uint64_t failed_commits = 0;
  std::uint64_t rewrites = 0;  // new files that took over
  std::uint64_t epochs_forgotten = 0;
  std::uint64_t uncertain = 0;     // batches whose agent was told so
  std::uint64_t told_unknown = 0;  // keys
  std::uint64_t windows_compared = 0;
  std::uint64_t trace = 0;  // the same seed gives the same number, in every build
};

enum class DiskKind : std::uint8_t {
  fake,    // a journal that is a map
  sqlite,  // the journal as it is, over a disk in memory that forgets what was not synced
};
RunReport run_seed(std::uint64_t seed, DiskKind disk);

}  // namespace nissa::simulation
