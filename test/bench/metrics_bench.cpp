// What a scrape costs: the text of /metrics with 10 000 SLOs (140 000 lines), and the longest piece of it, which is how
// long the I/O thread is kept from batches. Beside it the page of Nissa's own metrics, by prometheus-cpp.
// Usage: metrics_bench [FILE to write the page to, for promtool]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "selfmetrics/own_metrics.hpp"
#include "selfmetrics/slo_families.hpp"
#include "support/slo_pages.hpp"

namespace {

using namespace nissa;

// CPU time of this thread: the neighbours on a shared machine take time, but not this time.
double cpu_ms() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

// Counts that do not divide evenly: a burn rate has all its digits, as in life.
std::shared_ptr<const ledger::SloPages> pages(std::uint64_t count) {
  std::vector<ledger::SloView> slos;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = "service-" + std::to_string(i % 700) + "-checkout-availability-" + std::to_string(i);
    ledger::SloView view = test::slo_named(name, i % 2 == 0 ? "99.9" : "99.95");
    for (std::size_t w = 0; w < slo::window_count; ++w) {
      const std::uint64_t total = 100'003 * (w + 1) * (w + 1) + i * 7;
      view.windows[w] = {total - (37 + i % 101) * (w + 1), total};
      view.coverage[w].unmeasured_ms = static_cast<std::int64_t>(i % 1000) * 7;
    }
    view.period = view.windows[slo::window_30d];
    view.lifetime = {view.period.good * 11, view.period.total * 11};
    slos.push_back(std::move(view));
  }
  return test::pages_of(std::move(slos));
}

struct Cost {
  double all_ms = 0;
  double longest_ms = 0;
  std::size_t pieces = 0;
};

Cost write_page(const std::shared_ptr<const ledger::SloPages>& pages, std::string& text) {
  Cost cost;
  const double begin = cpu_ms();
  double last = begin;
  selfmetrics::SloFamilies families(pages, false);
  for (bool more = true; more;) {
    more = families.write_next(text);
    const double now = cpu_ms();
    cost.longest_ms = std::max(cost.longest_ms, now - last);
    last = now;
    ++cost.pieces;
  }
  cost.all_ms = last - begin;
  return cost;
}

struct OwnCounters {
  ingest::Books books;
  fold::BatchFold::Counters fold;
  overload::Counters overload;
  ledger::LedgerCounters ledger;
  journal::Counters journal;
  slo::MatchSets sets;
};

double write_own(std::string& text) {
  static const auto counters = std::make_unique<OwnCounters>();
  const double begin = cpu_ms();
  selfmetrics::expose(selfmetrics::own_families({counters->books, counters->fold, counters->overload, counters->ledger,
                                                 counters->journal, "bench", counters->sets},
                                                selfmetrics::read_process_figures()),
                      text);
  return cpu_ms() - begin;
}

template <class T>
T median(std::vector<T> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::uint64_t slo_count = 10'000;
  const auto all = pages(slo_count);
  std::vector<double> slo_ms;
  std::vector<double> longest_ms;
  std::vector<double> own_ms;
  std::string text;
  std::size_t pieces = 0;
  for (int round = 0; round < 31; ++round) {
    text = std::string();  // a scrape begins without a buffer
    own_ms.push_back(write_own(text));
    const Cost cost = write_page(all, text);
    slo_ms.push_back(cost.all_ms);
    longest_ms.push_back(cost.longest_ms);
    pieces = cost.pieces;
  }
  const auto lines = std::ranges::count(text, '\n');
  std::printf("%zu bytes, %td lines, %zu pieces; medians of %zu\n", text.size(), lines, pieces, slo_ms.size());
  std::printf("SLO families   %7.2f ms CPU, longest piece %.3f ms (worst of all %.3f)\n", median(slo_ms),
              median(longest_ms), *std::ranges::max_element(longest_ms));
  std::printf("Nissa's own    %7.2f ms CPU\n", median(own_ms));
  std::printf("figure metrics_page_cpu_ms_10k %.2f ms\n", median(slo_ms) + median(own_ms));
  if (argc > 1) std::ofstream(argv[1]) << text;
  return 0;
}
