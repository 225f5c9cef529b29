// A durable sequence of records, and rows beside it: bytes and numbers only, it knows nothing of SLOs.
// Place in the flow: the ledger closes a group, hands it over as one Commit, and applies it when told `durable`.
//
// Life: open_journal() → recovery reads (blocking) → start() → commit()s, rewrite()s → stop(). docs/journal-format.md
// has the files.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "journal/backup.hpp"
#include "journal/options.hpp"

namespace nissa::journal {

using Lsn = std::uint64_t;      // log sequence number: from 1, contiguous
using StateId = std::uint64_t;  // random, drawn when a state is begun; never 0

// `generation` is the writer's own (the ledger's: number of the snapshot); here it is only the key's second part.
struct RowPut {
  Bytes key;
  std::uint64_t generation = 0;
  Bytes value;
};
struct RowErase {
  Bytes key;
  std::uint64_t generation = 0;
};

// One transaction, one fsync. Erasures come before puts; a put replaces; erasing what is not there is no error.
struct Commit {
  Lsn lsn = 0;  // last durable lsn + 1
  Bytes record;
  std::vector<RowPut> put;
  std::vector<RowErase> erase;
  Lsn trim_below = 0;  // records below are no longer needed; they go in small pieces, with this and later commits
};

enum class CommitResult : std::uint8_t {
  durable,  // on stable storage
  full,     // no space: rolled back, known not to be written; the same lsn may be tried again
  unknown,  // fate unknown: may or may not be there after a restart. No further commit is taken before a Rewrite
};

// A piece of the whole state, on its way into a new file: after a commit of unknown fate, and to get a smaller file.
// The last piece is a Commit in which nothing changes: its record vouches for the rows of all pieces.
struct Rewrite {
  bool first = false;  // begins a new file; what an attempt before it wrote is dropped
  bool last = false;
  Commit commit;  // lsn, record: of the last piece alone; put: the rows. Nothing is erased or trimmed
};

// What stands in the way of commits, for health and people.
struct Trouble {
  enum class Kind : std::uint8_t {
    none,
    slow,    // a commit has been under way for seconds
    full,    // less than `min_free` of the disk is free, or none
    failed,  // a commit or a checkpoint failed: nothing is committed before a Rewrite
  };
  Kind kind = Kind::none;
  std::string text;  // a clause that says what is wrong; empty: nothing is
};

// What is wrong with what was found at a start. Anything but `none` needs an operator (exit 3): going on would count
// twice or forget silently.
enum class Damage : std::uint8_t {
  none,              // not damage: in use by another process, no permission, an I/O error
  newer_version,     // written by a newer Nissa
  anchor_missing,    // a database, but no ANCHOR
  anchor_damaged,    // neither slot of ANCHOR is sound
  database_missing,  // ANCHOR names a file that is not there
  wrong_database,    // the database belongs to another state
  database_damaged,  // SQLite cannot read it
  tail_missing,      // the journal ends below ANCHOR's last durable lsn
  bad_crc,           // a record or row is not what was written
  gap,               // a record is missing in the middle, or before the first that is needed
  rows_missing,      // the rows are not those that the last record vouches for
};
std::string_view name_of(Damage damage);

struct JournalError {
  Damage damage = Damage::none;
  std::string message;   // what is missing, and the ways on
  bool no_room = false;  // of damage `none`: the disk is full
};
// To every damage: what an operator can do now. Once.
JournalError with_ways_on(JournalError error);
JournalError with_ways_on(JournalError error, std::string_view ways);
// Without these.
std::string what_is_wrong(const JournalError& error);
template <class T>
using JournalResult = std::expected<T, JournalError>;
using JournalStatus = std::expected<void, JournalError>;
inline JournalStatus with_ways_on(JournalStatus status) {
  return status ? status : std::unexpected(with_ways_on(std::move(status.error())));
}

// One writer (the journal's thread), any readers.
struct Counters {
  Counter commits;       // durable ones
  Counter full;          // commits that met a full disk
  Counter failures;      // commits, checkpoints and anchor writes that failed otherwise
  Counter record_bytes;  // of durable records, as handed over
  Counter row_bytes;     // of durable rows, as handed over
  Counter rows_put;
  Counter rows_erased;
  Counter trimmed;  // records deleted
  Counter checkpoints;
  Counter database_bytes;  // gauges: size of each file
  Counter wal_bytes;
  Counter broken;           // gauge: 1 from an unknown commit until a new file has taken over
  Counter rewrites;         // new files that took over
  Counter rewrites_failed;  // attempts
  Counter free_bytes;       // gauge: of the disk, for this process; looked at each second
  Counter min_free_bytes;   // gauge: below this no batch is taken; 0: never looked at
  Counter short_of_room;    // gauge: 1 from there until 1.5 times as much is free
  // Of these the backup's thread is the writer.
  Counter backups;
  Counter backups_failed;
  Counter backup_lsn;  // gauges: of the last one made since the start
  Counter backup_unix_ms;
  LatencyHistogram commit;  // begin of the transaction to durable
  LatencyHistogram sync;    // of it, the COMMIT statement: pages into the log, fsync
  LatencyHistogram checkpoint;
};

// Views are valid during the call. Returning false ends the reading early, without error.
using RowVisitor = std::function<bool(ByteView key, std::uint64_t generation, ByteView value)>;
using RecordVisitor = std::function<bool(Lsn lsn, ByteView bytes)>;
using CommitDone = std::move_only_function<void(CommitResult)>;

// What recovery reads from; blocking. Every CRC is checked.
class JournalReader {
 public:
  JournalReader() = default;
  virtual ~JournalReader() = default;
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;

  // Rows in ascending order of key (bytes), then generation; a complete reading also proves that none is missing.
  virtual JournalStatus read_rows(const RowVisitor& visit) = 0;
  // Records from..last, ascending, without a gap; from == last + 1 reads none. from >= 1.
  virtual JournalStatus read_records(Lsn from, const RecordVisitor& visit) = 0;
};

// Read on the opening thread and before start(). Its destructor stops first if that was not done.
class Journal : public JournalReader {
 public:
  // All that was read is made durable anew, this start's generation too; then the journal's thread runs.
  virtual JournalStatus start() = 0;

  // Any thread, but one commit at a time: the next one only after `done`, which is called on the journal's own thread
  // and must only post. About 50 µs of CPU for a record of 40 KiB.
  virtual void commit(Commit commit, CommitDone done) = 0;
  // The whole state in pieces, as one commit at a time with commit()s; no commit() between the first and the last.
  // durable: the piece is in; after the last one the new file has taken over, and the old one is gone.
  // full: the attempt is given up, and the file in use is as good as before. unknown: it is given up too, and only
  // another attempt leads on; what the disk holds is either the state before the failed commit, with or without that,
  // or this one.
  virtual void rewrite(Rewrite piece, CommitDone done) = 0;
  // Any thread, between start() and stop(): a whole copy of the state in a new folder of backup_directory, beside what
  // goes on here; commits do not wait for it. `done` is called once, at once or on another thread: it must only post.
  virtual void back_up(BackupDone done) = 0;
  // Any thread: one that is being made is given up and answered, and no other is taken. Before stop(), by whoever waits
  // for those who asked. False: its thread hangs in the disk after `wait_ns`, and stop() would wait for that.
  virtual bool end_backups(std::int64_t wait_ns) = 0;
  // After the last `done`; blocking until the thread has ended. Nothing is written: a stop is no different from a kill.
  virtual void stop() = 0;

  virtual const Counters& counters() const = 0;  // any thread
  virtual Trouble trouble() const = 0;           // any thread; takes a lock for the copy of a text
};

struct Opened {
  std::unique_ptr<Journal> journal;
  StateId state_id = 0;
  std::uint64_t generation = 0;  // of this start: one more than at the last
  Lsn last_lsn = 0;              // last durable one; 0: none yet
  bool new_state = false;        // the directory was empty: a state has just been begun
  // The state that a backup was made of, which is about to be restored: state_id is drawn anew at each opening until
  // start() has made it durable. 0: nothing of the kind.
  StateId copy_of = 0;
};

// Locks the directory, finds or begins the state in it, and checks that its end is not below ANCHOR. Blocking.
// `clock` outlives the journal.
JournalResult<Opened> open_journal(const Options& options, const Clock& clock);

}  // namespace nissa::journal
