// What 10 000 SLOs with 30 days of history cost: idle (a TICK each 10 s, all windows move, all are judged), and with
// all of them changed by 20 groups a second. All that the ledger's strand does, on its real state, groups and records;
// what the journal's thread takes beside it says journal_bench. tick_dirty_... is the whole of the strand.
// Usage: slo_bench [runs]; medians of the runs, in brackets least and most.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

#include "bench_clock.hpp"
#include "slo_history.hpp"
#include "slo_node.hpp"

namespace {

using namespace nissa;
using namespace nissa::bench;

constexpr int groups_a_second = 20;
constexpr int dirty_seconds = 60;  // simulated ones
constexpr int idle_edges = 360;    // an hour: every row of the finest ring leaves, every kind of edge comes

// --- Measures.
struct Spread {
  double least, median, most;
};
Spread spread(std::vector<double> values) {
  std::ranges::sort(values);
  return {values.front(), values[values.size() / 2], values.back()};
}

double used_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

double count_ns(ledger::Ledger& ledger, bool late, std::mt19937_64& random) {
  ledger::Record record = counts_record(ledger, ledger.ledger_ms(), bucket_of(ledger.ledger_ms()), 1);
  if (late)
    for (ledger::BucketCount& count : record.counts) count.bucket -= static_cast<Bucket>(random() % (30 * 24 * 360));
  const double before = cpu_s();
  ledger.apply(record);
  return (cpu_s() - before) * 1e9 / slo_count;
}

Spread median_count_ns(ledger::Ledger& ledger, bool late) {
  std::mt19937_64 random(2);
  std::vector<double> all;
  for (int i = 0; i < 51; ++i) all.push_back(count_ns(ledger, late, random));
  return spread(all);
}

void print_row(const char* name, double percent, double us) {
  std::printf("  %-34s %8.4f %% of a core %10.1f µs\n", name, percent, us);
}

struct Percent {
  double judged;  // apply and judge
  double whole;   // of the strand
};

Percent dirty(Node& node, bool print) {
  Seconds spent{};
  for (int i = 0; i < dirty_seconds * groups_a_second; ++i) {
    node.pass_ms(1000 / groups_a_second);
    const ledger::Submission in = node.submission();
    node.step(&in, false, spent);
  }
  double whole = 0;
  for (int stage = 0; stage < stage_count; ++stage) {
    whole += spent[stage];
    if (print)
      print_row(stage_names[stage], spent[stage] / dirty_seconds * 100,
                spent[stage] * 1e6 / (dirty_seconds * groups_a_second));
  }
  return {(spent[apply] + spent[judge]) / dirty_seconds * 100, whole / dirty_seconds * 100};
}

double idle(Node& node, bool print) {
  Seconds spent{};
  double longest = 0;
  for (int i = 0; i < idle_edges; ++i) {
    node.pass_ms(10'000);
    const double before = cpu_s();
    node.step(nullptr, true, spent);
    longest = std::max(longest, cpu_s() - before);
  }
  double whole = 0;
  for (int stage = 0; stage < stage_count; ++stage) {
    whole += spent[stage];
    if (print) print_row(stage_names[stage], spent[stage] / (idle_edges * 10) * 100, spent[stage] * 1e6 / idle_edges);
  }
  if (print) std::printf("  %-34s %35.1f µs\n", "the longest edge", longest * 1e6);
  return whole / (idle_edges * 10) * 100;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
  const double before = used_bytes();
  auto node = std::make_unique<Node>();
  const double bytes = (used_bytes() - before) / slo_count;
  std::printf("%u SLOs, 8 windows, every period of 30 days counted in\n", slo_count);
  std::printf("  %-34s %10.0f (the ledger's own sum: %.0f)\n", "heap bytes an SLO", bytes,
              static_cast<double>(node->ledger().memory_bytes()) / slo_count);
  const Spread now = median_count_ns(node->ledger(), false);
  const Spread late = median_count_ns(node->ledger(), true);
  std::printf("  %-34s %10.1f [%.1f, %.1f]\n", "apply ns a count, current bucket", now.median, now.least, now.most);
  std::printf("  %-34s %10.1f [%.1f, %.1f]\n\n", "apply ns a count, all over 30 d", late.median, late.least, late.most);

  std::vector<double> judged, whole, idles;
  for (int run = 0; run < runs; ++run) {
    if (run > 0) node = std::make_unique<Node>();  // an idle hour has emptied the finest rings
    const bool last = run + 1 == runs;
    if (last) std::printf("all dirty, %d groups/s (%d simulated s)          a group\n", groups_a_second, dirty_seconds);
    const Percent percent = dirty(*node, last);
    judged.push_back(percent.judged);
    whole.push_back(percent.whole);
    if (last)
      std::printf("  a record has %zu bytes\nidle, an hour of 10 s edges                    an edge\n",
                  node->record_bytes());
    idles.push_back(idle(*node, last));
  }
  const Spread s = spread(judged), w = spread(whole), i = spread(idles);
  std::printf(
      "\n%d runs, medians: dirty %.2f %% [%.2f, %.2f], of it apply and judge %.2f %% "
      "[%.2f, %.2f]; idle %.4f %% [%.4f, %.4f]; %llu transitions in the last\n",
      runs, w.median, w.least, w.most, s.median, s.least, s.most, i.median, i.least, i.most,
      static_cast<unsigned long long>(node->judge_of_all().transitions()));
  std::printf("figure tick_idle_core_percent_10k %.4f percent\n", i.median);
  std::printf("figure tick_dirty_core_percent_10k %.2f percent\n", w.median);
  std::printf("figure bytes_per_slo %.0f bytes\n", bytes);
}
