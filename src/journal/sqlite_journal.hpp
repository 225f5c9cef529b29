// The journal on SQLite. One thread of its own does all that blocks: commits, checkpoints, ANCHOR.
// Place in the flow: takes a Commit from the ledger's strand, says `durable` on the journal's thread.
// A commit wakes that thread once; while it runs, nothing else is accepted (the ledger fills its next group meanwhile).
// sqlite_journal_open.cpp: what is found at a start. sqlite_journal_rewrite.cpp: the state into a new file.
// sqlite_journal_backup.cpp: a copy beside it. sqlite_journal_trouble.cpp: what stands in the way, and the room on the
// disk.
#pragma once
#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/mutex.hpp"
#include "journal/anchor.hpp"
#include "journal/disk_room.hpp"
#include "journal/journal.hpp"
#include "journal/sqlite_backup.hpp"
#include "journal/sqlite_store.hpp"
#include "journal/state_dir.hpp"

namespace nissa::journal {

class SqliteJournal final : public Journal, private HeldLog {
 public:
  SqliteJournal(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  ~SqliteJournal() override { SqliteJournal::stop(); }

  // What open_journal does: sqlite_journal_open.cpp.
  JournalResult<Opened> open();

  JournalStatus read_rows(const RowVisitor& visit) override;
  JournalStatus read_records(Lsn from, const RecordVisitor& visit) override;
  JournalStatus start() override;
  void commit(Commit commit, CommitDone done) override { hand_over({std::move(commit), std::move(done)}); }
  void rewrite(Rewrite piece, CommitDone done) override { hand_over({std::move(piece), std::move(done)}); }
  void back_up(BackupDone done) override;
  bool end_backups(std::int64_t wait_ns) override;
  void stop() override;
  const Counters& counters() const override { return counters_; }
  Trouble trouble() const override;

 private:
  struct Job {
    std::variant<Commit, Rewrite> work;
    CommitDone done;
  };
  // What another thread has this one do between two commits.
  struct Errand {
    const std::function<void()>& work;
    bool done = false;
  };
  // A new file that is being written: nobody counts on it before ANCHOR names it.
  struct Attempt {
    AnchorState anchor;
    std::unique_ptr<Store> store;
  };

  std::string in_directory(const std::string& name) const { return options_.directory + "/" + name; }
  JournalStatus open_anchor(bool create);
  JournalResult<Opened> begin_state(StateId id);
  JournalResult<Opened> continue_state(const AnchorState& anchor);
  JournalStatus expect_no_database() const;
  JournalStatus expect_stillbirth() const;
  // Names, ascending as texts; also of those of which only the log is left.
  JournalResult<std::vector<std::string>> databases() const;
  bool file_exists(const std::string& name) const;
  bool may_read() const;

  void hand_over(Job job);
  void run();
  enum class Woken : std::uint8_t { job, errand, time, stop };
  Woken next_job(std::optional<Job>& job);
  CommitResult execute(const Commit& commit);
  void count(const Commit& commit);
  void maintain();
  void break_down(const std::string& why);
  void note_sizes();

  CommitResult execute(const Rewrite& piece);
  CommitResult write_piece(const Rewrite& piece, std::string& failed);
  CommitResult begin_attempt(Lsn last_lsn, std::string& failed);
  CommitResult take_over(const Commit& last, std::string& failed);
  void give_up_attempt();
  bool delete_database(const std::string& name, bool durably = false);
  void note_leftovers();
  void delete_obsolete();

  // Blocking. False: the journal's thread does not run any more, and nothing was done.
  bool between_commits(const std::function<void()>& work);
  void run_errand(bool still_running);
  std::expected<Source, BackupError> hold() override;
  std::expected<End, BackupError> end() override;
  std::expected<void, BackupError> release() override;
  bool overtaken() const override { return overtaken_.load(std::memory_order_relaxed); }
  bool held_back();

  void look_at_room();
  void look_at_files();
  bool was_taken_away(const std::string& name) const;
  // Empty: it is not any more.
  void note_full(const std::string& text);
  void note_failure(const std::string& failure, const std::string& attempt);

  const Options options_;
  const Clock& clock_;
  Counters counters_;

  // Of the opening thread until start(), then of the journal's.
  DirectoryLock lock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Anchor> anchor_;
  AnchorState starting_;  // what start() writes into ANCHOR
  bool broken_ = false;   // a commit or checkpoint had an unknown fate: the file is not trusted again
  std::string broken_by_;
  std::optional<Attempt> attempt_;
  std::uint64_t attempts_ = 0;         // since ANCHOR was last written in both slots
  std::vector<std::string> obsolete_;  // databases that go once a later ANCHOR is synced in both slots
  std::uint64_t checkpoint_at_ = 0;
  DiskRoom room_;
  BootNs looked_at_ = 0;
  bool met_full_disk_ = false;                 // since the last durable commit
  std::map<std::string, FileIdentity> files_;  // of those in use, as they were first seen

  std::string held_;  // the database that a backup reads; empty: none

  std::atomic<bool> overtaken_{false};
  std::atomic<BootNs> busy_since_{0};  // 0: nothing is under way
  mutable Mutex trouble_mutex_;
  std::string failure_ NISSA_GUARDED_BY(trouble_mutex_);  // empty: the file in use is trusted
  std::string full_text_ NISSA_GUARDED_BY(trouble_mutex_);
  std::string room_text_ NISSA_GUARDED_BY(trouble_mutex_);

  std::thread thread_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::optional<Job> job_ NISSA_GUARDED_BY(mutex_);
  bool busy_ NISSA_GUARDED_BY(mutex_) = false;  // from commit() until just before its `done`
  bool running_ NISSA_GUARDED_BY(mutex_) = false;
  bool stopping_ NISSA_GUARDED_BY(mutex_) = false;
  Errand* errand_ NISSA_GUARDED_BY(mutex_) = nullptr;
  std::condition_variable errand_over_;

  Mutex backup_mutex_;
  bool backups_ended_ NISSA_GUARDED_BY(backup_mutex_) = false;
  std::unique_ptr<Backup> backup_ NISSA_GUARDED_BY(backup_mutex_);  // the last one
};

}  // namespace nissa::journal
