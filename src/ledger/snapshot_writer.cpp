#include "ledger/snapshot_writer.hpp"

#include <algorithm>
#include <utility>

#include "base/memory.hpp"
#include "base/violation.hpp"
#include "ledger/row_bytes.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {
namespace {

// In one ride: 10 µs each, when nothing in a block has changed.
constexpr std::size_t walks_a_slice = 32;
// What SQLite and the journal add to a row.
constexpr std::size_t row_overhead = 32;

}  // namespace

SnapshotWriter::SnapshotWriter(SnapshotOptions options, RowCatalog found, std::vector<RowVersion> unneeded)
    : options_(options), to_erase_(unneeded.begin(), unneeded.end()) {
  look_into(std::move(found));
}

// The newest complete snapshot holds all that had changed before its begin.
void SnapshotWriter::look_into(RowCatalog found) {
  catalog_ = std::move(found);
  const Lsn begin_lsn = catalog_.kept().empty() ? 0 : catalog_.kept().back().begin_lsn;
  recovered_lsn_ = definitions_lsn_ = begin_lsn > 0 ? begin_lsn - 1 : 0;
  blocks_lsn_.clear();
}

void SnapshotWriter::begin_anew(RowCatalog found) {
  if (riding_) violation("ledger", "the fate of a commit is known before the state goes into a new file");
  look_into(std::move(found));
  current_.reset();
  riding_.reset();
  to_erase_.clear();
  begun_ms_.reset();
  bytes_since_begin_ = 0;
  light_ = requested_ = false;
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
  // A border: each row, each erasure and each step of the walk is whole or has not been. The rest rides another time,
  // and the group goes as it is.
  (void)had_memory([&] { load(ledger, commit); });
}

void SnapshotWriter::load(Ledger& ledger, journal::Commit& commit) {
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
  Current fresh;
  fresh.snapshot.generation = catalog_.highest() + 1;
  fresh.snapshot.begin_lsn = ledger.applied() + 1;
  fresh.epochs_left = ledger.epochs().changed();
  fresh.todo.push_back({ObjectKind::meta, 0});
  for (const slo::SloId slo : ledger.definitions().changed_after(definitions_lsn_))
    fresh.todo.push_back(object_of(slo));
  current_ = std::move(fresh);
  definitions_lsn_ = ledger.applied();
  begun_ms_ = ledger.ledger_ms();
  bytes_since_begin_ = 0;
  requested_ = false;
}

// With the memory for noting it when it is durable.
void SnapshotWriter::put(RowVersion version, Bytes value, journal::Commit& commit) {
  catalog_.make_room(version, riding_->rows.size() + 1);  // and for the begin row
  make_room(commit.put, 1);
  commit.put.push_back({key_of(version.object), version.generation, std::move(value)});
}

void SnapshotWriter::put_begin(journal::Commit& commit) {
  if (current_->begun) return;
  put({snapshot_begin, current_->snapshot.generation}, snapshot_value(current_->snapshot), commit);
  riding_->begin = true;
}

void SnapshotWriter::put_rows(Ledger& ledger, journal::Commit& commit) {
  std::size_t walks = walks_a_slice;
  while (!full() && (!all_looked_at() || refill(ledger, walks))) {
    if (all_looked_at()) continue;
    take(ledger, current_->todo[riding_->looked_at], commit);
    ++riding_->looked_at;
  }
}

// False: nothing is left to write, or enough has been looked at for one ride. What changes behind the walk is no part
// of this snapshot: it comes with the records from its begin on.
bool SnapshotWriter::refill(Ledger& ledger, std::size_t& walks) {
  if (current_->next_block < ledger.block_count()) {
    if (walks == 0) return false;
    --walks;
    const std::uint32_t index = current_->next_block;
    if (blocks_lsn_.size() <= index) blocks_lsn_.resize(index + 1, recovered_lsn_);
    const slo::Block* block = ledger.block(index);
    if (block != nullptr && ledger.touched_lsn(index) > blocks_lsn_[index]) {
      std::vector<ObjectId> objects;
      for (const auto& changed : block->objects_changed_after(blocks_lsn_[index]))
        objects.push_back(object_of(index, changed.object));
      current_->todo.insert(current_->todo.end(), objects.begin(), objects.end());  // all of them or none
      blocks_lsn_[index] = ledger.applied();
    }
    ++current_->next_block;
    return true;
  }
  if (current_->epochs_left == 0) return false;
  if (ledger.epochs().changed() == 0) {
    current_->epochs_left = 0;
    return false;
  }
  current_->todo.emplace_back();  // its place first: what has left the queue must not be lost
  const EpochObject changed = *ledger.epochs().take_changed();
  --current_->epochs_left;
  current_->todo.back() = object_of(changed);
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
  const std::size_t bytes = value.size() + row_overhead;
  make_room(riding_->rows, 1);
  put({object, current_->snapshot.generation}, std::move(value), commit);
  riding_->rows.push_back({object, !there});
  riding_->bytes += bytes;
}

void SnapshotWriter::erase_some(journal::Commit& commit) {
  const std::size_t most = std::min(options_.slice_erasures, to_erase_.size());
  for (; riding_->erased < most; ++riding_->erased) {
    const RowVersion& version = to_erase_[riding_->erased];
    commit.erase.push_back({key_of(version.object), version.generation});
  }
}

// Only when all that it vouches for is durable, and nothing is left of a snapshot that was never completed: this one's
// generation is higher, so it would be taken for a part of it.
void SnapshotWriter::put_complete(const Ledger& ledger, journal::Commit& commit) {
  const bool all_durable = current_->begun && riding_->rows.empty() && to_erase_.empty();
  const bool all_walked = all_looked_at() && current_->next_block >= ledger.block_count() && current_->epochs_left == 0;
  if (!all_durable || !all_walked) return;
  current_->snapshot.complete_lsn = ledger.applied();
  const std::vector<RowVersion> unneeded = catalog_.unneeded_with(current_->snapshot);
  riding_->unneeded.emplace(unneeded.begin(), unneeded.end());
  put({snapshot_complete, current_->snapshot.generation}, snapshot_value(current_->snapshot), commit);
  riding_->complete = true;
}

void SnapshotWriter::settled(bool durable) {
  if (!riding_.has_value()) {
    violation("ledger", "a commit's fate is told once");
    return;
  }
  light_ = !durable;
  if (durable) note(*riding_);
  riding_.reset();  // what is not durable still stands in front of what is to be done
}

void SnapshotWriter::note(Riding& riding) {
  for (; riding.erased > 0; --riding.erased) {
    catalog_.forget(to_erase_.front());
    to_erase_.pop_front();
  }
  if (!current_) return;
  for (; riding.looked_at > 0; --riding.looked_at) current_->todo.pop_front();
  const Generation generation = current_->snapshot.generation;
  for (const Taken& row : riding.rows) catalog_.note({row.object, generation}, row.absent);
  if (riding.begin) {
    current_->begun = true;
    catalog_.note({snapshot_begin, generation}, false);
  }
  if (riding.complete) {
    catalog_.note({snapshot_complete, generation}, false);
    catalog_.settle(current_->snapshot);
    to_erase_.swap(*riding.unneeded);  // nothing else was left to erase, or it would not be complete
    current_.reset();
    ++completed_;
  }
}

}  // namespace nissa::ledger
