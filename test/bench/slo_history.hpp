// 10 000 SLOs, and what 30 days have left of them: every period of every ring counted in, for every SLO. It comes as
// late counts within one bucket of ledger time, so that 30 days need 2 100 records, not 259 200.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger/record.hpp"
#include "slo/definition.hpp"

namespace nissa::bench {

inline constexpr std::uint32_t slo_count = 10'000;
// Seven seconds into a bucket, a minute, an hour.
inline constexpr UnixMs history_end_ms = 1'749'999'607'000;

// Half availability, half latency; one service each.
std::vector<slo::Definition> definitions();

// One bucket a period, newest last: hours up to 3 d ago, then 5 min, minutes from 6 h and 10 s from 1 h on.
std::vector<Bucket> history_buckets();

// The next record of this ledger at `now_ms`: counts of every SLO in `bucket`, some 10 events a second over a period
// of `period_buckets`, one of 1 000 bad.
ledger::Record counts_record(const ledger::Ledger& ledger, UnixMs now_ms, Bucket bucket, std::uint32_t period_buckets);

// All of it, the DEFINEs first. `step(record)` has to apply it.
template <class Step>
void build_history(ledger::Ledger& ledger, Step step) {
  const auto all = definitions();
  const auto plan = ledger.definitions().plan(all);
  ledger::Record record = counts_record(ledger, history_end_ms, 0, 0);
  record.defines = plan->defines;
  step(record);
  const std::vector<Bucket> buckets = history_buckets();
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const Bucket next = i + 1 < buckets.size() ? buckets[i + 1] : buckets[i] + 1;
    step(counts_record(ledger, history_end_ms, buckets[i], static_cast<std::uint32_t>(next - buckets[i])));
  }
}

}  // namespace nissa::bench
