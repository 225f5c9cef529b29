// power_cuts [--seed FIRST] [--full] [--seeds N]: T1. A fixed workload with the power cut at each of its syncs,
// whatever survives; N random runs; and runs on a disk that lies about its syncs, which all have to fail. Exits 0 only
// if all of it holds.
#include <cstdio>
#include <string>

#include "simulation/power_cut_sum.hpp"

namespace {

using namespace nissa::simulation;
using nissa::test::Survival;

constexpr int lying_runs = 20;

bool every_sync(std::uint64_t seed) {
  const std::string with_seed = "seed " + std::to_string(seed);
  PowerCutSum sum;
  const PowerCutReport calm = sum.run({.seed = seed}, with_seed + " without a cut");
  for (std::uint64_t nth = 1; nth <= calm.syncs; ++nth)
    for (const Survival survival : nissa::test::each_survival)
      sum.run({.seed = seed, .cut_at_sync = nth, .survival = survival}, with_seed + ", cut at sync " +
                                                                            std::to_string(nth) + ", survival " +
                                                                            std::to_string(static_cast<int>(survival)));
  return sum.show("each of " + std::to_string(calm.syncs) + " syncs");
}

bool random_cuts(std::uint64_t first, std::uint64_t seeds) {
  PowerCutSum sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed)
    sum.run({.seed = seed, .at_random = true}, "repeat with --seed " + std::to_string(seed) + ": it");
  return sum.show("random cuts, seeds " + std::to_string(first) + ".." + std::to_string(first + seeds - 1));
}

// The proof of the harness: what synchronous=OFF would do is seen.
bool lies_are_seen(std::uint64_t first) {
  int seen = 0;
  for (std::uint64_t seed = first; seed < first + lying_runs; ++seed)
    seen += !run_power_cuts({.seed = seed, .lies = true}).failures.empty();
  std::printf("a disk that lies about its syncs: %d of %d runs see it\n", seen, lying_runs);
  return seen == lying_runs;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = begin_power_cuts(argc, argv, 2'000, 100'000);
  if (!arguments) return 2;
  const bool syncs = every_sync(arguments->first_seed);
  const bool cuts = random_cuts(arguments->first_seed, arguments->seeds);
  const bool lies = lies_are_seen(arguments->first_seed);
  return syncs && cuts && lies ? 0 : 1;
}
