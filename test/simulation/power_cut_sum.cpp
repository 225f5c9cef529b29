#include "simulation/power_cut_sum.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/log.hpp"
#include "simulation/violations.hpp"

namespace nissa::simulation {
namespace {

bool parse(const char* text, std::uint64_t& into) {
  const char* end = text + std::strlen(text);
  return end != text && std::from_chars(text, end, into).ptr == end;
}

}  // namespace

PowerCutReport PowerCutSum::run(const PowerCutPlan& plan, const std::string& which) {
  forget_violations();
  const PowerCutReport report = run_power_cuts(plan);
  ++runs;
  of_all.cuts += report.cuts;
  of_all.starts += report.starts;
  of_all.rewrites += report.rewrites;
  of_all.failed_groups += report.failed_groups;
  of_all.acknowledged += report.acknowledged;
  of_all.lost_unpromised += report.lost_unpromised;
  of_all.kept_unpromised += report.kept_unpromised;
  if (report.failures.empty() && violations_seen() == 0) return report;
  if (++failed > 10) return report;
  std::printf("%s fails\n", which.c_str());
  for (std::size_t i = 0; i < report.failures.size() && i < 5; ++i) std::printf("  %s\n", report.failures[i].c_str());
  return report;
}

bool PowerCutSum::show(const std::string& what) const {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "%s: %llu runs, %llu failed, %llu power cuts, %llu starts, %llu groups told that they failed, %llu new files, "
      "%llu acknowledged keys counted once, of the groups that nobody was promised %llu lost and %llu kept\n",
      what.c_str(), number(runs), number(failed), number(of_all.cuts), number(of_all.starts),
      number(of_all.failed_groups), number(of_all.rewrites), number(of_all.acknowledged),
      number(of_all.lost_unpromised), number(of_all.kept_unpromised));
  std::fflush(stdout);
  return failed == 0;
}

std::optional<PowerCutArguments> begin_power_cuts(int argc, char** argv, std::uint64_t seeds,
                                                  std::uint64_t seeds_if_full) {
  PowerCutArguments arguments;
  std::uint64_t said = 0;
  for (int i = 1; i < argc; ++i) {
    const char* next = i + 1 < argc ? argv[i + 1] : "";
    if (std::strcmp(argv[i], "--full") == 0) {
      arguments.full = true;
    } else if ((std::strcmp(argv[i], "--seed") == 0 && parse(next, arguments.first_seed)) ||
               (std::strcmp(argv[i], "--seeds") == 0 && parse(next, said) && said > 0)) {
      ++i;
    } else {
      std::fprintf(stderr, "usage: %s [--seed FIRST] [--full] [--seeds N]\n", argv[0]);
      return std::nullopt;
    }
  }
  arguments.seeds = said > 0 ? said : arguments.full ? seeds_if_full : seeds;
  count_violations();
  // What goes wrong on the disk is meant to: it would be thousands of lines.
  set_log_level(LogLevel::error);
  return arguments;
}

}  // namespace nissa::simulation
