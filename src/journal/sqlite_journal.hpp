// The journal on SQLite. One thread of its own does all that blocks: commits, checkpoints, ANCHOR.
// Place in the flow: takes a Commit from the ledger's strand, says `durable` on the journal's thread.
// A commit wakes that thread once; while it runs, nothing else is accepted (the ledger fills its next group meanwhile).
#pragma once
#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.hpp"
#include "journal/anchor.hpp"
#include "journal/journal.hpp"
#include "journal/sqlite_journal_store.hpp"
#include "journal/state_dir.hpp"

namespace nissa::journal {

// To every damage: what an operator can do now.
JournalError with_ways_on(JournalError error);
inline JournalStatus with_ways_on(JournalStatus status) {
  return status ? status : std::unexpected(with_ways_on(std::move(status.error())));
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  ~SqliteJournal() override { SqliteJournal::stop(); }

  // What open_journal does: sqlite_journal_open.cpp.
  JournalResult<Opened> open();

  JournalStatus read_rows(const RowVisitor& visit) override;
  JournalStatus read_records(Lsn from, const RecordVisitor& visit) override;
  JournalStatus start() override;
  void commit(Commit commit, CommitDone done) override;
  void stop() override;
  const Counters& counters() const override { return counters_; }

 private:
  struct Job {
    Commit commit;
    CommitDone done;
  };

  std::string in_directory(const std::string& name) const { return options_.directory + "/" + name; }
  JournalStatus open_anchor(bool create);
  JournalResult<Opened> begin_state();
  JournalResult<Opened> continue_state(const AnchorState& anchor);
  JournalStatus clear_stillbirth();
  bool file_exists(const std::string& name) const;
  bool may_read() const;

  void run();
  std::optional<Job> next_job();
  CommitResult execute(const Commit& commit);
  void count(const Commit& commit);
  void maintain();
  void break_down(const std::string& why);
  void note_sizes();

  const Options options_;
  const Clock& clock_;
  Counters counters_;

  // Of the opening thread until start(), then of the journal's.
  DirectoryLock lock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Anchor> anchor_;
  AnchorState starting_;  // what start() writes into ANCHOR
  bool broken_ = false;   // a commit or checkpoint had an unknown fate: the file is not trusted again
  std::uint64_t checkpoint_at_ = 0;

  std::thread thread_;
  Mutex mutex_;
  std::condition_variable wake_;
  std::optional<Job> job_ NISSA_GUARDED_BY(mutex_);
  bool busy_ NISSA_GUARDED_BY(mutex_) = false;  // from commit() until just before its `done`
  bool running_ NISSA_GUARDED_BY(mutex_) = false;
  bool stopping_ NISSA_GUARDED_BY(mutex_) = false;
};

}  // namespace nissa::journal
