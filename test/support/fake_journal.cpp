#include "support/fake_journal.hpp"

#include "base/violation.hpp"

namespace nissa::test {

using journal::CommitResult;

void FakeDisk::apply(const journal::Commit& commit) {
  for (const auto& row : commit.erase) rows.erase({row.key, row.generation});
  for (const auto& row : commit.put) rows[{row.key, row.generation}] = row.value;
  records[commit.lsn] = commit.record;
  last_lsn = commit.lsn;
  records.erase(records.begin(), records.lower_bound(std::min(commit.trim_below, commit.lsn)));
}

journal::JournalStatus FakeJournal::read_rows(const journal::RowVisitor& visit) {
  for (const auto& [key, value] : disk_->rows) {
    if (!visit(key.first, key.second, value)) break;
  }
  return {};
}

journal::JournalStatus FakeJournal::read_records(journal::Lsn from, const journal::RecordVisitor& visit) {
  if (from <= disk_->last_lsn && !disk_->records.contains(from)) {
    return std::unexpected(
        journal::JournalError{journal::Damage::gap, "record " + std::to_string(from) + " was trimmed"});
  }
  for (auto record = disk_->records.lower_bound(from); record != disk_->records.end(); ++record) {
    if (!visit(record->first, record->second)) break;
  }
  return {};
}

journal::JournalStatus FakeJournal::start() {
  ++disk_->generation;
  started_ = true;
  return {};
}

void FakeJournal::commit(journal::Commit commit, journal::CommitDone done) {
  const bool follows = disk_ == nullptr || broken_ || commit.lsn == disk_->last_lsn + 1;
  if (!started_ || stopped_ || pending_ || !follows) {
    violation("journal", !follows ? "lsn without a gap" : "one commit at a time, between start and stop");
    broken_ = broken_ || !follows;
    done(CommitResult::unknown);
    return;
  }
  pending_ = Job{std::move(commit), std::move(done)};
  if (!at_once_) return;
  if (full_ > 0) {
    --full_;
    finish(CommitResult::full);
  } else {
    finish(CommitResult::durable);
  }
}

void FakeJournal::finish(CommitResult result, bool reached_disk) {
  if (!pending_) {
    violation("journal", "finish() while a commit is pending");
    return;
  }
  // Moved out first: `done` may bring the next commit.
  Job job = std::move(*pending_);
  pending_.reset();
  if (disk_ == nullptr || broken_) result = CommitResult::unknown;
  const bool applies = result == CommitResult::durable || (result == CommitResult::unknown && reached_disk);
  if (applies && disk_ != nullptr && !broken_) disk_->apply(job.commit);
  switch (result) {
    case CommitResult::durable:
      counters_.commits.add();
      break;
    case CommitResult::full:
      counters_.full.add();
      break;
    case CommitResult::unknown:
      counters_.failures.add();
      counters_.broken.set(1);
      broken_ = true;
      break;
  }
  job.done(result);
}

void FakeJournal::crash(bool pending_reached_disk) {
  if (disk_ != nullptr && pending_ && pending_reached_disk && !broken_) disk_->apply(pending_->commit);
  disk_ = nullptr;
}

journal::Opened open_fake(FakeDisk& disk) {
  return {.journal = std::make_unique<FakeJournal>(disk),
          .state_id = disk.state_id,
          .generation = disk.generation + 1,
          .last_lsn = disk.last_lsn,
          .new_state = disk.last_lsn == 0 && disk.generation == 0};
}

}  // namespace nissa::test
