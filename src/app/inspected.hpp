// What nissad inspect shows, and the two ways it is shown.
#pragma once
#include <cstdio>
#include <optional>

#include "app/state_facts.hpp"
#include "ledger/recovery.hpp"

namespace nissa::app {

struct Inspected {
  StateFacts facts;
  std::optional<ledger::Recovered> recovered;   // what a start would find, or
  std::optional<journal::JournalError> damage;  // why it would refuse
};

// For people: what could be many lines (streams, gaps) is bounded. Of a damaged state: what is wrong, and what can
// still be read of it.
void print_text(std::FILE* out, const Inspected& found);
// For programs: all of it.
void print_json(std::FILE* out, const Inspected& found);

// visitor(bucket, counts) for each bucket of the last hour in which something was counted.
template <class Visitor>
void for_each_bucket(const slo::Block& block, slo::SloId id, Visitor&& visitor) {
  const Bucket head = bucket_of(block.head_ms());
  block.ring(0).for_each(head - 361, head + slo::buckets_ahead + 1, [&](const slo::Row& row) {
    const slo::Counts counts = row.at(slo::lane_of(id));
    if (counts.total != 0) visitor(row.period(), counts);
  });
}

inline slo::Counts lifetime_of(const slo::Block* block, slo::SloId id) {
  return block == nullptr ? slo::Counts{} : block->life(slo::lane_of(id)).lifetime;
}

// Settled out of order: beyond the lowest number that is open.
inline std::uint64_t settled_above(const ledger::StreamWindow& window) {
  std::uint64_t count = 0;
  window.for_each_settled([&](Sequence, const Fingerprint&) { ++count; });
  return count;
}

std::string slot_text(const StateFacts::Slot& slot);

}  // namespace nissa::app
