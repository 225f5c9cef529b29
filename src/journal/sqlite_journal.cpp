#include "journal/sqlite_journal.hpp"

#include <pthread.h>

#include <chrono>
#include <filesystem>

#include "base/log.hpp"
#include "base/violation.hpp"

namespace nissa::journal {

namespace {

constexpr BootNs look_every_ns = ns_per_s;  // at the room on the disk
constexpr std::chrono::nanoseconds look_every{look_every_ns};

JournalStatus running_error() {
  return std::unexpected(JournalError{Damage::none, "the journal is running: it is read before that"});
}

}  // namespace

std::string_view name_of(Damage damage) {
  switch (damage) {
    case Damage::none:
      return "none";
    case Damage::newer_version:
      return "newer_version";
    case Damage::anchor_missing:
      return "anchor_missing";
    case Damage::anchor_damaged:
      return "anchor_damaged";
    case Damage::database_missing:
      return "database_missing";
    case Damage::wrong_database:
      return "wrong_database";
    case Damage::database_damaged:
      return "database_damaged";
    case Damage::tail_missing:
      return "tail_missing";
    case Damage::bad_crc:
      return "bad_crc";
    case Damage::gap:
      return "gap";
    case Damage::rows_missing:
      return "rows_missing";
  }
  return "unknown";
}

JournalStatus SqliteJournal::read_rows(const RowVisitor& visit) {
  return may_read() ? with_ways_on(store_->read_rows(visit)) : running_error();
}

JournalStatus SqliteJournal::read_records(Lsn from, const RecordVisitor& visit) {
  return may_read() ? with_ways_on(store_->read_records(from, visit)) : running_error();
}

// The connection belongs to the journal's thread while that runs.
bool SqliteJournal::may_read() const {
  if (!thread_.joinable()) return true;
  violation("journal", "reads before start() only");
  return false;
}

JournalStatus SqliteJournal::start() {
  {
    const Lock lock(mutex_);
    if (running_) {
      violation("journal", "started once");
      return {};
    }
  }
  const bool goes_on = store_->generation() > 0 && store_->state_id() == starting_.state_id;
  if (auto begun = store_->begin_generation(starting_.generation, starting_.state_id); !begun) {
    // All that was read is on the disk, and no commit comes before a new file: so the pages answer meanwhile, and it
    // goes on by itself once there is room. A birth and a restore have promised nobody anything yet.
    if (!begun.error().no_room || !goes_on) return begun;
    break_down(begun.error().message);
  } else if (auto written = anchor_->begin(starting_); !written) {
    return std::unexpected(JournalError{Damage::none, "ANCHOR cannot be written: " + written.error().message});
  }
  checkpoint_at_ = options_.checkpoint_bytes;
  note_leftovers();
  if (!broken_) delete_obsolete();
  note_sizes();
  look_at_room();
  look_at_files();
  {
    const Lock lock(mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void SqliteJournal::hand_over(Job job) {
  {
    const Lock lock(mutex_);
    if (running_ && !stopping_ && !busy_) {
      busy_ = true;
      busy_since_.store(clock_.boot_ns(), std::memory_order_relaxed);
      job_ = std::move(job);
      wake_.notify_one();
      return;
    }
  }
  violation("journal", "one commit at a time, between start and stop");
  job.done(CommitResult::unknown);
}

void SqliteJournal::stop() {
  end_backups(0);
  {
    const Lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const Lock lock(backup_mutex_);
  backup_.reset();
}

// The analysis does not see that wait() takes the lock it gave back.
SqliteJournal::Woken SqliteJournal::next_job(std::optional<Job>& job) NISSA_NO_THREAD_SAFETY_ANALYSIS {
  std::unique_lock lock(mutex_.native());
  const auto something = [this]() NISSA_NO_THREAD_SAFETY_ANALYSIS {
    return job_.has_value() || errand_ != nullptr || stopping_;
  };
  if (!wake_.wait_for(lock, look_every, something)) return Woken::time;
  if (errand_ != nullptr && !stopping_) return Woken::errand;  // first, for it is short
  job = std::exchange(job_, std::nullopt);
  return job ? Woken::job : Woken::stop;
}

void SqliteJournal::run() {
  pthread_setname_np(pthread_self(), "nissa-journal");  // for top -H
  std::optional<Job> job;
  for (Woken woken = next_job(job); woken != Woken::stop; woken = next_job(job)) {
    if (woken == Woken::job) {
      const CommitResult result = std::visit([this](const auto& work) { return execute(work); }, job->work);
      busy_since_.store(0, std::memory_order_relaxed);
      {
        // Before `done`: from there on the next one may come, though it waits for our maintenance.
        const Lock lock(mutex_);
        busy_ = false;
      }
      job->done(result);
      if (result == CommitResult::durable) maintain();
      job.reset();  // not before: whoever waits for the end of `done` itself waits for all that the job brought about
    }
    if (woken == Woken::errand) run_errand(true);
    if (clock_.boot_ns() - looked_at_ >= look_every_ns) {
      look_at_room();
      look_at_files();
      if (!held_.empty()) maintain();
    }
  }
  run_errand(false);
}

CommitResult SqliteJournal::execute(const Commit& commit) {
  if (attempt_) {
    violation("journal", "no commit amid the pieces of a state");
    give_up_attempt();
  }
  if (!broken_ && commit.lsn != store_->last_lsn() + 1) {
    violation("journal", "lsn without a gap");
    break_down("record " + std::to_string(commit.lsn) + " does not follow " + std::to_string(store_->last_lsn()));
  }
  if (broken_) {
    counters_.failures.add();
    return CommitResult::unknown;
  }
  const BootNs before = clock_.boot_ns();
  Store::Timing timing;
  std::string failed;
  const CommitResult result = store_->commit(commit, clock_, timing, failed);
  switch (result) {
    case CommitResult::durable:
      counters_.commit.observe(clock_.boot_ns() - before);
      counters_.sync.observe(timing.commit_ns);
      count(commit);
      if (met_full_disk_) note_full("");
      // Before `done`: what is acknowledged is anchored, as far as a kill goes; a power cut may cost a second of it.
      if (auto written = anchor_->advance(commit.lsn); !written) {
        counters_.failures.add();
        log(LogLevel::warning, "journal", "ANCHOR stays behind: " + written.error().message);
      }
      break;
    case CommitResult::full:
      counters_.full.add();
      log_rarely(LogLevel::warning, "journal", failed);
      note_full("the disk is full: " + failed + "; it is tried again each second");
      break;
    case CommitResult::unknown:
      counters_.failures.add();
      break_down(failed);
      break;
  }
  return result;
}

void SqliteJournal::count(const Commit& commit) {
  counters_.commits.add();
  counters_.record_bytes.add(commit.record.size());
  counters_.rows_put.add(commit.put.size());
  counters_.rows_erased.add(commit.erase.size());
  std::uint64_t row_bytes = 0;
  for (const RowPut& row : commit.put) row_bytes += row.key.size() + row.value.size();
  counters_.row_bytes.add(row_bytes);
  counters_.trimmed.set(store_->trimmed());
}

// Between two groups: nobody waits for it but the next commit.
void SqliteJournal::maintain() {
  if (broken_ || attempt_) return;
  const BootNs now = clock_.boot_ns();
  if (auto synced = anchor_->sync_if_due(now); !synced) {
    counters_.failures.add();
    log(LogLevel::warning, "journal", "ANCHOR stays behind: " + synced.error().message);
  }
  if (store_->wal_bytes() >= checkpoint_at_ && !held_back()) {
    std::string failed;
    const CommitResult result = store_->checkpoint(failed);
    counters_.checkpoint.observe(clock_.boot_ns() - now);
    if (result == CommitResult::durable) {
      counters_.checkpoints.add();
      checkpoint_at_ = options_.checkpoint_bytes;
    } else if (result == CommitResult::full) {
      counters_.full.add();
      log_rarely(LogLevel::warning, "journal", failed);
      // Not at every commit: a disk that is full stays so for a while.
      checkpoint_at_ = store_->wal_bytes() + options_.checkpoint_bytes / 4;
    } else {
      counters_.failures.add();
      break_down(failed);
    }
    note_sizes();
  }
  counters_.wal_bytes.set(store_->wal_bytes());
}

void SqliteJournal::break_down(const std::string& why) {
  broken_ = true;
  broken_by_ = why;
  counters_.broken.set(1);
  note_failure(why, "");
  log(LogLevel::error, "journal", "the database is not trusted any more, a new one has to take over: " + why);
}

void SqliteJournal::note_sizes() {
  std::error_code gone;
  const auto size = std::filesystem::file_size(in_directory(starting_.database), gone);
  if (!gone) counters_.database_bytes.set(size);
  counters_.wal_bytes.set(store_->wal_bytes());
}

}  // namespace nissa::journal
