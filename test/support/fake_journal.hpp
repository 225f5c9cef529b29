// A journal in memory, driven by hand: the test says when a commit ends and how, and what a crash leaves behind.
// For tests of the ledger and for the simulator. Single-threaded: `done` is called inside finish().
// It is harsher than the real one where that may differ: what may be trimmed is gone at once.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "journal/journal.hpp"

namespace nissa::test {

// What is durable. It outlives the journals that write on it: open a new one for a restart; copy it to fork history.
struct FakeDisk {
  using RowKey = std::pair<Bytes, std::uint64_t>;

  journal::StateId state_id = 1;
  std::uint64_t generation = 0;
  journal::Lsn last_lsn = 0;
  std::map<journal::Lsn, Bytes> records;
  std::map<RowKey, Bytes> rows;

  void apply(const journal::Commit& commit);
  bool operator==(const FakeDisk&) const = default;
};

class FakeJournal final : public journal::Journal {
 public:
  // The disk outlives the journal or is unplugged by crash().
  explicit FakeJournal(FakeDisk& disk) : disk_(&disk), known_lsn_(disk.last_lsn) {}

  journal::JournalStatus read_rows(const journal::RowVisitor& visit) override;
  journal::JournalStatus read_records(journal::Lsn from, const journal::RecordVisitor& visit) override;
  journal::JournalStatus start() override;
  void commit(journal::Commit commit, journal::CommitDone done) override;
  // At the last piece the disk is what the pieces said.
  void rewrite(journal::Rewrite piece, journal::CommitDone done) override;
  void back_up(journal::BackupDone done) override;
  bool end_backups(std::int64_t wait_ns) override;
  void stop() override { stopped_ = true; }
  const journal::Counters& counters() const override { return counters_; }
  journal::Trouble trouble() const override;

  // The commit under way, or nullptr.
  const journal::Commit* pending() const { return pending_ ? &pending_->work.commit : nullptr; }
  // nullptr: it is a commit. The piece of a rewrite under way; its rows and record are in pending().
  const journal::Rewrite* pending_piece() const;
  // Ends it. After `unknown` every further commit ends as unknown, whatever is asked, until a rewrite has come to its
  // end; `reached_disk` says whether what was under way will be there after a restart. A piece that does not become
  // durable ends its rewrite.
  void finish(journal::CommitResult result, bool reached_disk = false);
  // The machine dies: from here on nothing reaches the disk. The pending commit's fate is chosen here; its `done` is
  // still owed to what is left of the process, and finish() then calls it with `unknown`.
  void crash(bool pending_reached_disk);
  // On: each commit ends as durable at once (inside commit(), so `done` must only post).
  void finish_at_once(bool on) { at_once_ = on; }
  // The next `count` of those at once end as full; the next `count` after these as unknown.
  void fill_up(int count) { full_ = count; }
  void break_next(int count) { unknown_ = count; }
  // Of the backup under way, which waits for this.
  void answer_backup(journal::BackupResult result);
  // As if so little of the disk were free that no batch may be taken.
  void run_short_of_room(bool on) { counters_.short_of_room.set(on ? 1 : 0); }

 private:
  struct Job {
    journal::Rewrite work;  // of a commit: its commit alone
    bool is_piece = false;
    journal::CommitDone done;
  };
  void hand_over(Job job);
  bool take_piece(const journal::Rewrite& piece);
  FakeDisk* disk_;
  journal::Lsn known_lsn_;           // the last that is known to be durable: on the disk there may be one more
  std::optional<FakeDisk> attempt_;  // what the pieces so far have said
  std::optional<Job> pending_;
  std::optional<journal::BackupDone> backup_;
  bool backups_ended_ = false;
  journal::Counters counters_;
  bool started_ = false;
  bool stopped_ = false;
  bool broken_ = false;
  bool at_once_ = false;
  int full_ = 0;
  int unknown_ = 0;
};

// As journal::open_journal: generation and last lsn of this start.
journal::Opened open_fake(FakeDisk& disk);

}  // namespace nissa::test
