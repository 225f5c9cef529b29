#include "slo_history.hpp"

#include <string>

#include "slo/window.hpp"

namespace nissa::bench {

std::vector<slo::Definition> definitions() {
  std::vector<slo::Definition> made;
  for (std::uint32_t i = 0; i < slo_count; ++i) {
    slo::Definition definition;
    definition.service = "service-" + std::to_string(i);
    definition.name = definition.service + "-availability";
    definition.sli.selector.service = definition.service;
    definition.objective = *slo::Objective::parse(i % 3 == 0 ? "99" : i % 3 == 1 ? "99.9" : "99.95");
    if (i % 2 == 0) {
      definition.name = definition.service + "-latency";
      definition.sli.criterion.kind = slo::SliKind::latency;
      definition.sli.criterion.threshold_ns = 250'000'000;
    }
    made.push_back(definition);
  }
  return made;
}

std::vector<Bucket> history_buckets() {
  std::vector<Bucket> buckets;
  const Bucket head = bucket_of(history_end_ms);
  Bucket at = slo::window_starts(head)[slo::window_30d];
  const auto up_to = [&](Bucket end, std::int32_t step) {
    for (; at < end; at += step) buckets.push_back(at);
  };
  // A ring begins at its own grid, which lies on that of the coarser one before only by chance: a step ends there.
  const slo::WindowStarts starts = slo::window_starts(head);
  for (std::size_t ring = slo::ring_count - 1; ring > 0; --ring) {
    const Bucket finer = starts[slo::longest_window_of_ring[ring - 1]];
    up_to(finer, slo::ring_specs[ring].period_buckets());
    at = finer;
  }
  up_to(head + 1, 1);
  return buckets;
}

ledger::Record counts_record(const ledger::Ledger& ledger, UnixMs now_ms, Bucket bucket, std::uint32_t period_buckets) {
  const ledger::Stamp stamp = ledger.next_stamp(now_ms);
  ledger::Record record;
  record.lsn = stamp.lsn;
  record.ledger_ms = stamp.ledger_ms;
  record.running_ms = stamp.running_ms;
  if (period_buckets == 0) return record;
  record.counts.reserve(slo_count);
  for (slo::SloId id = 0; id < slo_count; ++id) {
    // No two alike, so that neither varints nor branches are better off than in life.
    const std::uint64_t mixed = (static_cast<std::uint64_t>(bucket) * slo_count + id) * 0x9E3779B97F4A7C15ULL >> 32;
    const std::uint64_t total = (50 + mixed % 100) * period_buckets;
    const std::uint64_t bad = (total + mixed / 100 % 1000) / 1000;
    record.counts.push_back({id, bucket, total - bad, total});
  }
  return record;
}

}  // namespace nissa::bench
