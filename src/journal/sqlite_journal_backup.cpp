// The journal's side of a backup: who makes it, and what its own thread does for it between two commits.
#include "journal/sqlite_journal.hpp"

namespace nissa::journal {
namespace {

// How much longer than usual the log may get while its database is copied, in times of checkpoint_bytes. When it is
// moved at last, a commit waits in proportion to the pages that are in it.
constexpr std::uint64_t most_held = 16;

std::unexpected<BackupError> refused(BackupFault fault, std::string message) {
  return std::unexpected(BackupError{fault, std::move(message)});
}
std::unexpected<BackupError> stopping() { return refused(BackupFault::stopping, "nissad stops"); }
std::unexpected<BackupError> overtaken_by(const char* what) {
  return refused(BackupFault::overtaken, std::string(what) + " while the state was copied");
}

}  // namespace

void SqliteJournal::back_up(BackupDone done) {
  const Lock lock(backup_mutex_);
  if (backups_ended_) return done(stopping());
  if (options_.backup_directory.empty())
    return done(refused(BackupFault::no_directory, "there is no backup_directory in the configuration"));
  if (backup_ && !backup_->over_within(0))
    return done(refused(BackupFault::under_way, "another backup is being made: one at a time"));
  backup_.reset();
  HeldLog& log = *this;
  backup_ = std::make_unique<Backup>(options_, clock_, log, counters_, std::move(done));
}

bool SqliteJournal::end_backups(std::int64_t wait_ns) {
  const Lock lock(backup_mutex_);
  backups_ended_ = true;
  if (!backup_) return true;
  backup_->give_up();
  return backup_->over_within(wait_ns);
}

// The analysis does not see that wait() takes the lock it gave back.
bool SqliteJournal::between_commits(const std::function<void()>& work) NISSA_NO_THREAD_SAFETY_ANALYSIS {
  std::unique_lock lock(mutex_.native());
  if (!running_ || stopping_) return false;
  Errand errand{work};
  errand_ = &errand;
  wake_.notify_one();
  errand_over_.wait(lock, [this]() NISSA_NO_THREAD_SAFETY_ANALYSIS { return errand_ == nullptr; });
  return errand.done;
}

void SqliteJournal::run_errand(bool still_running) {
  Errand* errand = nullptr;
  {
    const Lock lock(mutex_);
    errand = errand_;
  }
  if (errand == nullptr) return;
  if (still_running) errand->work();
  const Lock lock(mutex_);
  errand->done = still_running;
  errand_ = nullptr;
  errand_over_.notify_one();
}

std::expected<HeldLog::Source, BackupError> SqliteJournal::hold() {
  std::expected<Source, BackupError> source = stopping();
  between_commits([&] {
    if (broken_) {
      source = refused(BackupFault::journal_fails, "the journal fails: " + broken_by_);
      return;
    }
    overtaken_.store(false, std::memory_order_relaxed);
    held_ = starting_.database;
    source = Source{in_directory(held_), starting_.state_id, store_->wal_bytes()};
  });
  return source;
}

std::expected<HeldLog::End, BackupError> SqliteJournal::end() {
  std::expected<End, BackupError> end = stopping();
  between_commits([&] {
    if (broken_)
      end = refused(BackupFault::journal_fails, "the journal failed meanwhile: " + broken_by_);
    else if (held_.empty() || held_ != starting_.database)
      end = overtaken_by("the database was written");
    else
      end = End{store_->last_lsn(), store_->wal_bytes()};
  });
  return end;
}

std::expected<void, BackupError> SqliteJournal::release() {
  std::expected<void, BackupError> released = stopping();
  between_commits([&] {
    released = {};
    if (held_.empty()) released = overtaken_by("the database was written");
    held_.clear();
    maintain();
  });
  return released;
}

// Is a checkpoint that is due to wait for a backup?
bool SqliteJournal::held_back() {
  if (held_.empty()) return false;
  const bool too_long = store_->wal_bytes() >= checkpoint_at_ + most_held * options_.checkpoint_bytes;
  if (!too_long && counters_.short_of_room.value() == 0 && held_ == starting_.database) return true;
  held_.clear();
  overtaken_.store(true, std::memory_order_relaxed);
  return false;
}

}  // namespace nissa::journal
