// State + record → state (ledger.hpp). Nothing here may ask anything but the record and the object it changes: a
// snapshot's rows were taken at different records, and replay must come out the same.
#include <algorithm>
#include <utility>

#include "base/memory.hpp"
#include "base/violation.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {

void Ledger::apply(const Record& record) {
  if (record.lsn != applied_ + 1) {
    violation("ledger", "records are applied in order, none missing and none twice");
    if (record.lsn <= applied_) return;  // it is in already
  }
  apply_time(record);
  definitions_.apply(record);
  apply_counts(record);
  epochs_.apply(record);
  applied_ = record.lsn;
}

void Ledger::apply_time(const Record& record) {
  if (record.lsn <= meta_.loaded_lsn) return;
  if (record.ledger_ms < meta_.ledger_ms || record.running_ms < meta_.running_ms)
    violation("ledger", "neither ledger time nor running time goes back");
  if (ends_gap(record)) {
    if (reserved_gaps_ && reserved_gaps_->from_ms == meta_.ledger_ms && reserved_gaps_->to_ms == record.ledger_ms) {
      meta_.gaps = std::move(reserved_gaps_->gaps);
    } else {
      meta_.gaps.add({meta_.ledger_ms, record.ledger_ms});
    }
  }
  reserved_gaps_.reset();
  meta_.gaps.drop_old(record.ledger_ms);
  meta_.ledger_ms = std::max(meta_.ledger_ms, record.ledger_ms);
  meta_.running_ms = std::max(meta_.running_ms, record.running_ms);
}

void Ledger::lose_until(UnixMs now_ms) {
  const UnixMs until_ms = std::max(now_ms, meta_.ledger_ms + 1);
  meta_.gaps.add({meta_.ledger_ms, until_ms});
  meta_.gaps.drop_old(until_ms);
  meta_.ledger_ms = until_ms;
}

void Ledger::apply_counts(const Record& record) {
  const Bucket furthest = bucket_of(record.ledger_ms) + slo::buckets_ahead;
  slo::Block* block = nullptr;
  std::uint32_t index = 0;
  for (const BucketCount& count : record.counts) {
    if (count.good > count.total || count.bucket > furthest || count.slo > highest_slo) [[unlikely]]
      quarantine(record, count.slo);
    if (count.slo > highest_slo) [[unlikely]]
      continue;
    if (block == nullptr || slo::block_of(count.slo) != index) {
      index = slo::block_of(count.slo);
      block = &own_block(index, record.ledger_ms);
      block->advance(record.ledger_ms);
      blocks_[index].touched_lsn = record.lsn;
    }
    block->add(slo::lane_of(count.slo), count.bucket, {count.good, count.total}, record.lsn);
  }
}

// Its numbers are no longer what the events were. What the record says of it that can be counted still is.
void Ledger::quarantine(const Record& record, slo::SloId slo) {
  violation("ledger", "a count has good <= total, and lies at most 60 s ahead");
  // Without memory for it the violation alone tells of it: what is durable is applied all the same.
  if (record.lsn > meta_.loaded_lsn) (void)had_memory([&] { meta_.quarantined.insert(slo); });
}

slo::Block& Ledger::own_block(std::uint32_t index, UnixMs head_ms) {
  if (index >= blocks_.size()) blocks_.resize(index + 1);
  std::unique_ptr<slo::Block>& block = blocks_[index].block;
  if (block == nullptr) block = std::move(blocks_[index].reserved);
  if (block == nullptr) {
    const auto mode = mode_ == Mode::live ? slo::Block::Mode::live : slo::Block::Mode::replaying;
    block = std::make_unique<slo::Block>(head_ms, mode);
  }
  return *block;
}

}  // namespace nissa::ledger
