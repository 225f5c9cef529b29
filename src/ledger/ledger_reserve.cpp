// Memory for applying a record, before that is written (ledger.hpp). Nothing of the state changes here: what is made
// lies beside it until apply() takes it, and serves the next record if this one is never written.
#include <algorithm>
#include <array>
#include <span>

#include "base/memory.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/record_bytes.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {
namespace {

// The buckets met so far in a block. A record's counts lie by SLO, then bucket: so they mostly come round in turn, and
// the one that followed last time is looked at first. One that is forgotten is only met once more.
class RecentBuckets {
 public:
  bool met(Bucket bucket) {
    next_ = next_ + 1 < count_ ? next_ + 1 : 0;
    if (next_ < count_ && buckets_[next_] == bucket) return true;
    for (std::size_t i = 0; i < count_; ++i) {
      if (buckets_[i] != bucket) continue;
      next_ = i;
      return true;
    }
    next_ = count_ < buckets_.size() ? count_++ : next_;
    buckets_[next_] = bucket;
    return false;
  }

 private:
  std::array<Bucket, 16> buckets_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

// A border: what is reserved by halves is used by the next attempt.
bool Ledger::reserve(const Record& record) {
  return had_memory([&] {
    reserve_time(record);
    definitions_.reserve(record);
    reserve_counts(record);
    epochs_.reserve(record);
  });
}

bool Ledger::ends_gap(const Record& record) const {
  return meta_.ledger_ms != 0 && is_gap(meta_.ledger_ms, record.ledger_ms);
}

void Ledger::reserve_time(const Record& record) {
  reserved_gaps_.reset();
  if (!ends_gap(record)) return;
  ReservedGaps made{.from_ms = meta_.ledger_ms, .to_ms = record.ledger_ms, .gaps = meta_.gaps};
  made.gaps.add({made.from_ms, made.to_ms});
  reserved_gaps_ = std::move(made);
}

void Ledger::reserve_counts(const Record& record) {
  const std::span<const BucketCount> counts = record.counts;
  for (std::size_t at = 0; at < counts.size();) {
    const std::uint32_t index = slo::block_of(counts[at].slo);
    std::uint64_t most = 0;
    std::size_t end = at;
    for (; end < counts.size() && slo::block_of(counts[end].slo) == index; ++end) most += counts[end].total;
    if (counts[at].slo <= highest_slo) {
      slo::Block& block = reserve_block(index, record.ledger_ms);
      RecentBuckets recent;
      for (; at < end; ++at)
        if (!recent.met(counts[at].bucket)) block.reserve(record.ledger_ms, counts[at].bucket, most, record.lsn);
    }
    at = end;
  }
}

slo::Block& Ledger::reserve_block(std::uint32_t index, UnixMs head_ms) {
  if (index >= blocks_.size()) blocks_.resize(index + 1);
  Slot& slot = blocks_[index];
  if (slot.block != nullptr) return *slot.block;
  if (slot.reserved == nullptr) slot.reserved = std::make_unique<slo::Block>(head_ms);
  return *slot.reserved;
}

}  // namespace nissa::ledger
