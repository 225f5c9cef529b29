// Writes snapshots while everything goes on: with each group's commit rides a slice of at most 256 KiB of rows. A
// snapshot is fuzzy: each row is one object with the lsn of the last record in it when it was taken; replay from the
// snapshot's begin skips what a row already contains. Only what has changed since it was last written is written again.
//
// Order: a begin row; the rows; when all of them are durable, the complete row. What rode in a transaction that failed
// is queued again. Two complete snapshots are kept; the journal is trimmed to the begin of the older one. A version of
// a row goes only when neither of the two, nor the one being written, needs it.
//
// Pure; on the ledger's strand. A slice costs up to 1 ms.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

struct SnapshotOptions {
  std::int64_t every_ms = 60'000;           // of ledger time, begin to begin
  std::uint64_t journal_bytes = 64u << 20;  // or so many bytes of records since the last begin
  std::size_t slice_bytes = 256u << 10;     // of rows in one transaction (one row may go beyond)
};

class SnapshotWriter {
 public:
  // `found`: what recovery found, or an empty catalogue of a new state.
  SnapshotWriter(SnapshotOptions options, RowCatalog found);

  // For each group: after commit.lsn and commit.record are set, before it goes to the journal. Adds rows and erasures,
  // and says what may be trimmed. The record itself is not applied yet.
  void ride(Ledger& ledger, journal::Commit& commit);
  // What became of that commit: call once for each ride(), before the next. After a failure the next one rides light,
  // so that the group itself gets through.
  void settled(bool durable);

  bool writing() const { return current_.has_value(); }
  // Begin with the next commit, whatever the time: for a stop, a backup, a test.
  void request() { requested_ = true; }
  const RowCatalog& catalog() const { return catalog_; }
  std::uint64_t completed() const { return completed_; }  // since the start

 private:
  enum class Phase : std::uint8_t { rows, complete };
  struct Current {
    KeptSnapshot snapshot;
    Phase phase = Phase::rows;
    bool begun = false;            // its begin row is durable
    std::uint32_t next_block = 0;  // blocks below have been walked
    std::size_t epochs_left = 0;   // changed ones still to take
    std::deque<ObjectId> todo;
  };
  // What rides in the commit under way.
  struct Riding {
    bool begin = false;
    bool complete = false;
    std::vector<ObjectId> taken;
    std::vector<RowVersion> erased;
  };
  bool due(const Ledger& ledger) const;
  void begin(Ledger& ledger, journal::Commit& commit);
  void fill(Ledger& ledger, journal::Commit& commit);
  bool refill(Ledger& ledger);
  void take(const Ledger& ledger, ObjectId object, journal::Commit& commit);
  void erase_some(journal::Commit& commit);
  void put_complete(const Ledger& ledger, journal::Commit& commit);
  void completed_now();

  SnapshotOptions options_;
  RowCatalog catalog_;
  std::optional<Current> current_;
  std::optional<Riding> riding_;
  std::deque<RowVersion> to_erase_;
  std::vector<Lsn> walked_lsn_;  // by block: what had changed up to here has been written
  Lsn definitions_lsn_ = 0;      // the same for definitions
  UnixMs begun_ms_ = 0;
  std::uint64_t bytes_since_begin_ = 0;
  std::uint64_t completed_ = 0;
  bool requested_ = false;
  bool light_ = false;
};

}  // namespace nissa::ledger
