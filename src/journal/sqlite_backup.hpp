// A backup of the state in use, made by a thread of its own beside the journal's: nothing that the disk of
// backup_directory does, be it slow, full or gone, keeps a commit waiting.
//
// How: between two checkpoints the database's file stays as it is, and the log only grows. So checkpoints are held
// back, the file is copied as it lies there, then the log up to the last commit; checkpoints go on. The copy is opened,
// read through once (every CRC), and its log moved into it. ANCHOR comes last, in a folder that has its name only when
// all of it is on the disk.
#pragma once
#include <atomic>
#include <condition_variable>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "journal/backup.hpp"
#include "journal/journal.hpp"

namespace nissa::journal {

// What a backup asks of the journal's thread, which answers between two commits. Called by the backup's thread.
class HeldLog {
 public:
  struct Source {
    std::string database;  // its path
    StateId state_id = 0;
    std::uint64_t log_bytes = 0;
  };
  struct End {
    Lsn last_lsn = 0;
    std::uint64_t log_bytes = 0;  // what of the log is committed, or 0: all of it is in the database
  };
  virtual ~HeldLog() = default;
  virtual std::expected<Source, BackupError> hold() = 0;  // no checkpoint from here on
  virtual std::expected<End, BackupError> end() = 0;
  // Checkpoints again. An error: there was one meanwhile, and what was read since is worth nothing.
  virtual std::expected<void, BackupError> release() = 0;
  virtual bool overtaken() const = 0;  // any thread; reading on is in vain
};

class Backup {
 public:
  // All outlive it. `done` is called once, on the backup's thread or by give_up().
  Backup(const Options& options, const Clock& clock, HeldLog& log, Counters& counters, BackupDone done);
  ~Backup();  // gives up, and waits for the thread: as long as the disk of backup_directory takes
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  // Any thread. Tells `done` at once; the thread follows when it has written what it has in hand.
  void give_up();
  bool over_within(std::int64_t wait_ns);  // any thread; blocking

 private:
  using Step = std::expected<void, BackupError>;
  void run();
  void settle(BackupResult result);
  void end(BackupResult result);
  BackupResult make();
  Step check_room(const HeldLog::Source& source);
  Step copy_files(const HeldLog::Source& source, HeldLog::End& end);
  Step prove(const HeldLog::Source& source, const HeldLog::End& end, BackupMade& made);
  Step complete(BackupMade& made);
  Step goes_on() const;

  const Options& options_;
  const Clock& clock_;
  HeldLog& log_;
  Counters& counters_;
  std::string begun_;    // the time in the folder's name
  std::string partial_;  // the folder while it is not whole; empty: none
  std::atomic<bool> given_up_{false};
  Mutex mutex_;
  bool over_ NISSA_GUARDED_BY(mutex_) = false;
  std::condition_variable is_over_;
  std::optional<BackupDone> done_ NISSA_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace nissa::journal
