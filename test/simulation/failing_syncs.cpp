// failing_syncs [--seed FIRST] [--full] [--seeds N]: T3, a disk that fails a sync. A fixed workload in which each sync
// fails once, for good, or a second time somewhere in the move to a new file; in which the power goes at each operation
// of such a move and behind it; and N random runs. Exits 0 only if all of it holds. --full: the cuts behind each sync
// of the workload, and not of three, and 50 000 random runs.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "simulation/power_cut_sum.hpp"

namespace {

using namespace nissa::simulation;
using nissa::test::PowerCutDisk;
using nissa::test::Survival;

std::string at(const std::string& what, std::uint64_t number) { return what + " " + std::to_string(number) + " "; }

// Of a workload in which nothing fails.
struct Calm {
  std::uint64_t seed;
  std::uint64_t first;  // sync once the node serves
  std::uint64_t last;   // before the fault-free phase
};

bool each_once(const Calm& calm) {
  PowerCutSum sum;
  for (std::uint64_t nth = 1; nth <= calm.last; ++nth)
    sum.run({.seed = calm.seed, .fail_at_sync = nth}, at("sync", nth));
  return sum.show("each of " + std::to_string(calm.last) + " syncs fails once");
}

bool each_for_good(const Calm& calm) {
  PowerCutSum sum;
  for (std::uint64_t nth = 1; nth <= calm.last; ++nth)
    sum.run({.seed = calm.seed, .fail_at_sync = nth, .aftermath = {.of_that_file = true}}, at("the file of sync", nth));
  return sum.show("the file fails for good, from each sync on");
}

bool all_for_good(const Calm& calm) {
  PowerCutSum sum;
  for (std::uint64_t nth = calm.first; nth <= calm.last; ++nth)
    sum.run({.seed = calm.seed, .fail_at_sync = nth, .failing_syncs = all_syncs}, at("all from sync", nth));
  return sum.show("the disk fails for good, from each sync on, until it is mended");
}

// Of a move: each of its own syncs, those of ANCHOR too, and some behind it.
bool each_twice(const Calm& calm) {
  PowerCutSum sum;
  for (std::uint64_t nth = calm.first; nth <= calm.last; ++nth)
    for (std::uint64_t again = 1; again <= 30; ++again)
      sum.run({.seed = calm.seed, .fail_at_sync = nth, .aftermath = {.again_at_sync = again}},
              at("sync", nth) + at("and the following", again));
  return sum.show("each sync fails, and each of the 30 behind it, too");
}

// Some of them, those of both kinds of files; or all.
std::vector<std::uint64_t> syncs_to_cut_behind(const Calm& calm, bool full) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t nth = calm.first; nth <= calm.last; ++nth)
    if (run_power_cuts({.seed = calm.seed, .fail_at_sync = nth}).rewrites > 0) all.push_back(nth);
  std::mt19937_64 random(calm.seed);
  std::ranges::shuffle(all, random);
  if (!full) all.resize(std::min<std::size_t>(all.size(), 3));
  return all;
}

bool cut_at_each_operation(const Calm& calm, bool full) {
  PowerCutSum sum;
  for (const std::uint64_t nth : syncs_to_cut_behind(calm, full)) {
    const std::uint64_t operations = sum.run({.seed = calm.seed, .fail_at_sync = nth}, "").operations_since;
    for (std::uint64_t cut = 1; cut <= operations; ++cut)
      for (const Survival survival : nissa::test::each_survival)
        sum.run({.seed = calm.seed, .fail_at_sync = nth, .aftermath = {.cut_at_operation = cut}, .survival = survival},
                at("sync", nth) + at("and a cut at the following operation", cut) +
                    at("with survival", static_cast<std::uint64_t>(survival)));
  }
  return sum.show("cut at each operation behind a failed sync");
}

PowerCutPlan draw(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto up_to = [&](std::uint64_t most) { return 1 + random() % most; };
  PowerCutPlan plan{.seed = seed, .fail_at_sync = up_to(80)};
  if (random() % 4 == 0) plan.failing_syncs = up_to(30);
  plan.aftermath.of_that_file = random() % 4 == 0;
  if (random() % 2 == 0) plan.aftermath.again_at_sync = up_to(20);
  if (random() % 4 != 0) plan.aftermath.cut_at_operation = up_to(random() % 2 == 0 ? 80 : 500);
  if (random() % 2 == 0) plan.deaths = 0.4;
  return plan;
}

bool at_random(std::uint64_t first, std::uint64_t seeds) {
  PowerCutSum sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed)
    sum.run(draw(seed), "repeat with --seeds 1 --seed " + std::to_string(seed) + ": it");
  return sum.show("random, seeds " + std::to_string(first) + ".." + std::to_string(first + seeds - 1));
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = begin_power_cuts(argc, argv, 2'000, 50'000);
  if (!arguments) return 2;
  const std::uint64_t seed = arguments->first_seed;
  const PowerCutReport report = run_power_cuts({.seed = seed});
  const Calm calm{.seed = seed, .first = report.syncs_of_start + 1, .last = report.syncs_of_life};
  bool holds = each_once(calm);
  holds = each_for_good(calm) && holds;
  holds = all_for_good(calm) && holds;
  holds = each_twice(calm) && holds;
  holds = cut_at_each_operation(calm, arguments->full) && holds;
  holds = at_random(seed, arguments->seeds) && holds;
  return holds ? 0 : 1;
}
