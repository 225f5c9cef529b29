// power_cuts [--seeds N] [--seed FIRST]: T1. A fixed workload with the power cut at each of its syncs, whatever
// survives; N random runs; and runs on a disk that lies about its syncs, which all have to fail. Exits 0 only if all of
// it holds.
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/log.hpp"
#include "base/violation.hpp"
#include "simulation/power_cut_run.hpp"

namespace {

using nissa::simulation::PowerCutPlan;
using nissa::simulation::PowerCutReport;
using nissa::test::Survival;

constexpr std::array survivals{Survival::nothing, Survival::everything, Survival::earlier,  Survival::later,
                               Survival::some,    Survival::torn_512,   Survival::torn_4096};
constexpr int lying_runs = 20;

int violations = 0;

void count_violation(std::string_view component, std::string_view expected, const std::source_location& where) {
  if (++violations <= 5)
    std::printf("violation in %.*s: %.*s (%s:%u)\n", static_cast<int>(component.size()), component.data(),
                static_cast<int>(expected.size()), expected.data(), where.file_name(), where.line());
}

bool parse(const char* text, std::uint64_t& into) {
  const char* end = text + std::strlen(text);
  return end != text && std::from_chars(text, end, into).ptr == end;
}

struct Sum {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  PowerCutReport of_all;

  void add(const PowerCutReport& report, const std::string& which) {
    ++runs;
    of_all.cuts += report.cuts;
    of_all.starts += report.starts;
    of_all.rewrites += report.rewrites;
    of_all.acknowledged += report.acknowledged;
    of_all.lost_unpromised += report.lost_unpromised;
    of_all.kept_unpromised += report.kept_unpromised;
    if (report.failures.empty() && violations == 0) return;
    if (++failed > 10) return;
    std::printf("%s fails\n", which.c_str());
    for (std::size_t i = 0; i < report.failures.size() && i < 5; ++i) std::printf("  %s\n", report.failures[i].c_str());
  }
  void show(const char* what) const {
    const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
    std::printf(
        "%s: %llu runs, %llu failed, %llu power cuts, %llu starts, %llu new files, %llu acknowledged keys "
        "counted once, of the groups that nobody was promised %llu lost and %llu kept\n",
        what, number(runs), number(failed), number(of_all.cuts), number(of_all.starts), number(of_all.rewrites),
        number(of_all.acknowledged), number(of_all.lost_unpromised), number(of_all.kept_unpromised));
    std::fflush(stdout);
  }
};

PowerCutReport run(const PowerCutPlan& plan) {
  violations = 0;
  return nissa::simulation::run_power_cuts(plan);
}

bool every_sync(std::uint64_t seed) {
  const PowerCutReport calm = run({.seed = seed, .calm = true});
  Sum sum;
  sum.add(calm, "seed " + std::to_string(seed) + " without a cut");
  for (std::uint64_t at_sync = 1; at_sync <= calm.syncs; ++at_sync)
    for (const Survival survival : survivals)
      sum.add(run({.seed = seed, .at_sync = at_sync, .survival = survival}),
              "seed " + std::to_string(seed) + ", cut at sync " + std::to_string(at_sync) + ", survival " +
                  std::to_string(static_cast<int>(survival)));
  sum.show(("each of " + std::to_string(calm.syncs) + " syncs").c_str());
  return sum.failed == 0;
}

bool random_cuts(std::uint64_t first, std::uint64_t seeds) {
  Sum sum;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed)
    sum.add(run({.seed = seed}), "repeat with --seed " + std::to_string(seed) + ": it");
  sum.show(("random cuts, seeds " + std::to_string(first) + ".." + std::to_string(first + seeds - 1)).c_str());
  return sum.failed == 0;
}

// The proof of the harness: what synchronous=OFF would do is seen.
bool lies_are_seen(std::uint64_t first) {
  int seen = 0;
  for (std::uint64_t seed = first; seed < first + lying_runs; ++seed)
    seen += !run({.seed = seed, .calm = true, .lies = true}).failures.empty();
  std::printf("a disk that lies about its syncs: %d of %d runs see it\n", seen, lying_runs);
  return seen == lying_runs;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 1;
  std::uint64_t seeds = 2'000;
  bool understood = argc % 2 == 1;
  for (int i = 1; understood && i < argc; i += 2)
    understood = (std::strcmp(argv[i], "--seed") == 0 && parse(argv[i + 1], first)) ||
                 (std::strcmp(argv[i], "--seeds") == 0 && parse(argv[i + 1], seeds));
  if (!understood) {
    std::fprintf(stderr, "usage: power_cuts [--seeds N] [--seed FIRST]\n");
    return 2;
  }
  nissa::set_violation_hook(count_violation);
  nissa::set_log_level(nissa::LogLevel::error);
  const bool syncs = every_sync(first);
  const bool cuts = random_cuts(first, seeds);
  const bool lies = lies_are_seen(first);
  return syncs && cuts && lies ? 0 : 1;
}
