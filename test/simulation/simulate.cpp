// simulate [--disk] --seed N | --seeds A..B: runs whole nodes under simulated faults; exits 0 only if every seed holds.
// --disk: on the journal as it is, over a disk in memory that forgets, fails and dies; else on a journal that is a map.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string_view>

#include "base/log.hpp"
#include "simulation/run.hpp"
#include "simulation/violations.hpp"

namespace {

bool parse(std::string_view text, std::uint64_t& first, std::uint64_t& last) {
  const auto dots = text.find("..");
  const std::string_view from = text.substr(0, dots);
  const std::string_view to = dots == text.npos ? from : text.substr(dots + 2);
  const auto number = [](std::string_view word, std::uint64_t& into) {
    return std::from_chars(word.data(), word.data() + word.size(), into).ptr == word.data() + word.size() &&
           !word.empty();
  };
  return number(from, first) && number(to, last) && first <= last;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  const bool on_disk = argc > 1 && std::strcmp(argv[1], "--disk") == 0;
  const std::span words(argv + (on_disk ? 2 : 1), argv + argc);
  if (words.size() != 2 || (std::strcmp(words[0], "--seed") != 0 && std::strcmp(words[0], "--seeds") != 0) ||
      !parse(words[1], first, last)) {
    std::fprintf(stderr, "usage: simulate [--disk] --seed N | --seeds A..B\n");
    return 2;
  }
  // What goes wrong on the disk is meant to: it would be thousands of lines.
  nissa::set_log_level(nissa::LogLevel::error);
  nissa::simulation::count_violations();
  nissa::simulation::RunReport sum;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    nissa::simulation::forget_violations();
    const auto report = nissa::simulation::run_seed(
        seed, on_disk ? nissa::simulation::DiskKind::sqlite : nissa::simulation::DiskKind::fake);
    sum.batches += report.batches;
    sum.counted += report.counted;
    sum.records += report.records;
    sum.starts += report.starts;
    sum.snapshots_loaded += report.snapshots_loaded;
    sum.failed_commits += report.failed_commits;
    sum.rewrites += report.rewrites;
    sum.epochs_forgotten += report.epochs_forgotten;
    sum.uncertain += report.uncertain;
    sum.told_unknown += report.told_unknown;
    sum.windows_compared += report.windows_compared;
    if (first == last) std::printf("trace %016llx\n", static_cast<unsigned long long>(report.trace));
    if (report.failures.empty() && nissa::simulation::violations_seen() == 0) continue;
    ++failed;
    std::printf("seed %llu fails: repeat with %s--seed %llu\n", static_cast<unsigned long long>(seed),
                on_disk ? "--disk " : "", static_cast<unsigned long long>(seed));
    for (std::size_t i = 0; i < report.failures.size() && i < 5; ++i) std::printf("  %s\n", report.failures[i].c_str());
  }
  const auto show = [](const char* what, std::uint64_t number) {
    std::printf(", %llu %s", static_cast<unsigned long long>(number), what);
  };
  std::printf("%llu seeds", static_cast<unsigned long long>(last - first + 1));
  show("failed", failed);
  show("batches", sum.batches);
  show("counted", sum.counted);
  show("uncertain", sum.uncertain);
  show("records", sum.records);
  show("commits failed", sum.failed_commits);
  show("new files", sum.rewrites);
  show("starts", sum.starts);
  show("from snapshots", sum.snapshots_loaded);
  show("epochs forgotten", sum.epochs_forgotten);
  show("keys told unknown_epoch", sum.told_unknown);
  show("windows compared", sum.windows_compared);
  std::printf("\n");
  return failed == 0 ? 0 : 1;
}
