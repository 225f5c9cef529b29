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
  const bool follows = disk_ == nullptr || broken_ || commit.lsn == known_lsn_ + 1;
  if (!follows) {
    violation("journal", "lsn without a gap");
    broken_ = true;
  }
  if (attempt_) violation("journal", "no commit amid the pieces of a state");
  hand_over({{.commit = std::move(commit)}, false, std::move(done)});
}

void FakeJournal::rewrite(journal::Rewrite piece, journal::CommitDone done) {
  if (!piece.first && !attempt_) violation("journal", "a state begins with its first piece");
  hand_over({std::move(piece), true, std::move(done)});
}

void FakeJournal::back_up(journal::BackupDone done) {
  using journal::BackupFault;
  if (backups_ended_) return done(std::unexpected(journal::BackupError{BackupFault::stopping, "it stops"}));
  if (backup_) return done(std::unexpected(journal::BackupError{BackupFault::under_way, "one at a time"}));
  backup_ = std::move(done);
}

bool FakeJournal::end_backups(std::int64_t) {
  backups_ended_ = true;
  if (backup_) answer_backup(std::unexpected(journal::BackupError{journal::BackupFault::stopping, "it stops"}));
  return true;
}

void FakeJournal::answer_backup(journal::BackupResult result) {
  if (!backup_) return violation("journal", "answer_backup() while one is under way");
  journal::BackupDone done = std::move(*backup_);
  backup_.reset();
  done(std::move(result));
}

const journal::Rewrite* FakeJournal::pending_piece() const {
  return pending_ && pending_->is_piece ? &pending_->work : nullptr;
}

journal::Trouble FakeJournal::trouble() const {
  using Kind = journal::Trouble::Kind;
  if (broken_) return {Kind::failed, "the journal failed"};
  if (counters_.short_of_room.value() != 0) return {Kind::full, "the disk is short of room"};
  return {};
}

void FakeJournal::hand_over(Job job) {
  if (!started_ || stopped_ || pending_) {
    violation("journal", "one commit at a time, between start and stop");
    broken_ = true;
    return job.done(CommitResult::unknown);
  }
  pending_ = std::move(job);
  if (!at_once_) return;
  if (full_ > 0) {
    --full_;
    finish(CommitResult::full);
  } else if (unknown_ > 0) {
    --unknown_;
    finish(CommitResult::unknown);
  } else {
    finish(CommitResult::durable);
  }
}

// True: it was the last one, and attempt_ is whole.
bool FakeJournal::take_piece(const journal::Rewrite& piece) {
  if (disk_ == nullptr) return false;
  if (piece.first)
    attempt_ = FakeDisk{.state_id = disk_->state_id,
                        .generation = disk_->generation + 1,
                        .last_lsn = known_lsn_,
                        .records = {},
                        .rows = {}};
  if (!attempt_) return false;
  if (piece.last && piece.commit.lsn != attempt_->last_lsn + 1) violation("journal", "lsn without a gap");
  if (piece.last) {
    attempt_->apply(piece.commit);
  } else {
    for (const auto& row : piece.commit.put) attempt_->rows[{row.key, row.generation}] = row.value;
  }
  return piece.last;
}

void FakeJournal::finish(CommitResult result, bool reached_disk) {
  if (!pending_) {
    violation("journal", "finish() while a commit is pending");
    return;
  }
  // Moved out first: `done` may bring the next commit.
  Job job = std::move(*pending_);
  pending_.reset();
  if (disk_ == nullptr || (broken_ && !job.is_piece)) result = CommitResult::unknown;
  const bool applies = result == CommitResult::durable || (result == CommitResult::unknown && reached_disk);
  if (job.is_piece) {
    const bool whole = applies && take_piece(job.work);
    if (whole) *disk_ = *attempt_;
    if (whole || result != CommitResult::durable) attempt_.reset();
    if (whole && result == CommitResult::durable) broken_ = false;
  } else if (applies && disk_ != nullptr && !broken_) {
    disk_->apply(job.work.commit);
  }
  if (result == CommitResult::durable) {
    counters_.commits.add();
    if (!job.is_piece || job.work.last) known_lsn_ = job.work.commit.lsn;
  }
  if (result == CommitResult::full) counters_.full.add();
  if (result == CommitResult::unknown) {
    counters_.failures.add();
    broken_ = true;
  }
  counters_.broken.set(broken_ ? 1 : 0);
  job.done(result);
}

void FakeJournal::crash(bool pending_reached_disk) {
  if (disk_ != nullptr && pending_ && pending_reached_disk && !broken_ && !pending_->is_piece)
    disk_->apply(pending_->work.commit);
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
