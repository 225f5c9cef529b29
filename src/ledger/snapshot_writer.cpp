#include "ledger/snapshot_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/violation.hpp"
#include "ledger/row_bytes.hpp"

namespace nissa::ledger {
namespace {

// In one ride: 10 µs each, when nothing in a block has changed.
constexpr std::size_t walks_a_slice = 32;
// What SQLite and the journal add to a row.
constexpr std::size_t row_overhead = 32;

}  // namespace

SnapshotWriter::SnapshotWriter(SnapshotOptions options, RowCatalog found, std::vector<RowVersion> unneeded)
    : options_(options), catalog_(std::move(found)), to_erase_(unneeded.begin(), unneeded.end()) {
  // The newest complete snapshot holds all that had changed before its begin.
  const Lsn begin_lsn = catalog_.kept().empty() ? 0 : catalog_.kept().back().begin_lsn;
  recovered_lsn_ = definitions_lsn_ = begin_lsn > 0 ? begin_lsn - 1 : 0;
}

void SnapshotWriter::ride(Ledger& ledger, journal::Commit& commit) {
  if (riding_.has_value()) {
    violation("ledger", "the fate of a commit is known before the next one");
    settled(false);
  }
  riding_ = Riding{};
  bytes_since_begin_ += commit.record.size();
  commit.trim_below = catalog_.trim_below();
  if (std::exchange(light_, false)) return;
  if (!current_ && due(ledger)) begin(ledger);
  if (current_) {
    put_begin(commit);
    put_rows(ledger, commit);
  }
  erase_some(commit);
  if (current_) put_complete(ledger, commit);
}

bool SnapshotWriter::due(const Ledger& ledger) {
  // A state without a record has no time yet.
  if (!begun_ms_ && ledger.applied() > 0) begun_ms_ = ledger.ledger_ms();
  return requested_ || bytes_since_begin_ >= options_.journal_bytes ||
         (begun_ms_ && ledger.ledger_ms() - *begun_ms_ >= options_.every_ms);
}

void SnapshotWriter::begin(const Ledger& ledger) {
  current_ = Current{};
  current_->snapshot.generation = catalog_.highest() + 1;
  current_->snapshot.begin_lsn = ledger.applied() + 1;
  current_->epochs_left = ledger.epochs().changed();
  current_->todo.push_back({ObjectKind::meta, 0});
  for (const slo::SloId slo : ledger.definitions().changed_after(definitions_lsn_))
    current_->todo.push_back(object_of(slo));
  definitions_lsn_ = ledger.applied();
  begun_ms_ = ledger.ledger_ms();
  bytes_since_begin_ = 0;
  requested_ = false;
}

void SnapshotWriter::put_begin(journal::Commit& commit) {
  if (current_->begun) return;
  riding_->begin = true;
  commit.put.push_back({key_of(snapshot_begin), current_->snapshot.generation, snapshot_value(current_->snapshot)});
}

void SnapshotWriter::put_rows(Ledger& ledger, journal::Commit& commit) {
  std::size_t walks = walks_a_slice;
  while (!full() && (!current_->todo.empty() || refill(ledger, walks))) {
    if (current_->todo.empty()) continue;
    const ObjectId object = current_->todo.front();
    current_->todo.pop_front();
    take(ledger, object, commit);
  }
}

// False: nothing is left to write, or enough has been looked at for one ride. What changes behind the walk is no part
// of this snapshot: it comes with the records from its begin on.
bool SnapshotWriter::refill(Ledger& ledger, std::size_t& walks) {
  if (current_->next_block < ledger.block_count()) {
    if (walks == 0) return false;
    --walks;
    const std::uint32_t index = current_->next_block++;
    if (blocks_lsn_.size() <= index) blocks_lsn_.resize(index + 1, recovered_lsn_);
    const slo::Block* block = ledger.block(index);
    if (block == nullptr || ledger.touched_lsn(index) <= blocks_lsn_[index]) return true;
    for (const auto& changed : block->objects_changed_after(blocks_lsn_[index]))
      current_->todo.push_back(object_of(index, changed.object));
    blocks_lsn_[index] = ledger.applied();
    return true;
  }
  if (current_->epochs_left == 0) return false;
  --current_->epochs_left;
  const std::optional<EpochObject> changed = ledger.epochs().take_changed();
  if (!changed) {
    current_->epochs_left = 0;
    return false;
  }
  current_->todo.push_back(
      {changed->kind == EpochObject::Kind::epoch ? ObjectKind::epoch : ObjectKind::tombstone, changed->epoch});
  return true;
}

void SnapshotWriter::take(const Ledger& ledger, ObjectId object, journal::Commit& commit) {
  Bytes value;
  append_row_head(ledger.applied(), false, value);
  const bool there = ledger.encode_object(object, value);
  if (!there) {
    // A row of counts that has left all windows is dropped when it is loaded; what was never written hides nothing.
    if (object.kind == ObjectKind::block || !catalog_.has(object)) return;
    value.clear();
    append_row_head(ledger.applied(), true, value);
  }
  riding_->bytes += value.size() + row_overhead;
  riding_->rows.push_back({object, !there});
  commit.put.push_back({key_of(object), current_->snapshot.generation, std::move(value)});
}

void SnapshotWriter::erase_some(journal::Commit& commit) {
  for (std::size_t i = 0; i < options_.slice_erasures && !to_erase_.empty(); ++i) {
    const RowVersion version = to_erase_.front();
    to_erase_.pop_front();
    riding_->erased.push_back(version);
    commit.erase.push_back({key_of(version.object), version.generation});
  }
}

// Only when all that it vouches for is durable, and nothing is left of a snapshot that was never completed: this one's
// generation is higher, so it would be taken for a part of it.
void SnapshotWriter::put_complete(const Ledger& ledger, journal::Commit& commit) {
  const bool all_durable = current_->begun && riding_->rows.empty() && riding_->erased.empty() && to_erase_.empty();
  const bool all_walked =
      current_->todo.empty() && current_->next_block >= ledger.block_count() && current_->epochs_left == 0;
  if (!all_durable || !all_walked) return;
  current_->snapshot.complete_lsn = ledger.applied();
  riding_->complete = true;
  commit.put.push_back({key_of(snapshot_complete), current_->snapshot.generation, snapshot_value(current_->snapshot)});
}

void SnapshotWriter::settled(bool durable) {
  if (!riding_.has_value()) {
    violation("ledger", "a commit's fate is told once");
    return;
  }
  const Riding riding = std::move(*riding_);
  riding_.reset();
  light_ = !durable;
  if (!durable) {
    to_erase_.insert(to_erase_.begin(), riding.erased.begin(), riding.erased.end());
    for (auto row = riding.rows.rbegin(); row != riding.rows.rend(); ++row) current_->todo.push_front(row->object);
    return;
  }
  for (const RowVersion& version : riding.erased) catalog_.forget(version);
  if (!current_) return;
  const Generation generation = current_->snapshot.generation;
  for (const Taken& row : riding.rows) catalog_.note({row.object, generation}, row.absent);
  if (riding.begin) {
    current_->begun = true;
    catalog_.note({snapshot_begin, generation}, false);
  }
  if (riding.complete) {
    catalog_.note({snapshot_complete, generation}, false);
    const std::vector<RowVersion> unneeded = catalog_.keep(current_->snapshot);
    to_erase_.insert(to_erase_.end(), unneeded.begin(), unneeded.end());
    current_.reset();
    ++completed_;
  }
}

}  // namespace nissa::ledger
