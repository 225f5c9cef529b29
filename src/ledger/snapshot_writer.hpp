// Writes snapshots while everything goes on: with each group's commit rides a slice of rows (128 KiB). A
// snapshot is fuzzy: each row is one object with the lsn of the last record in it when it was taken; replay from the
// snapshot's begin skips what a row already contains. Only what has changed since it was last written is written again.
//
// Order: a begin row; the rows; when all of them are durable, the complete row. What rode in a transaction that failed
// is queued again. Two complete snapshots are kept; the journal is trimmed to the begin of the older one. A version of
// a row goes only when neither of the two, nor the one being written, needs it.
//
// Pure; on the ledger's strand. A slice costs half a millisecond.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/options.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

class SnapshotWriter {
 public:
  // `found`: recovery's catalogue, with what it said is unneeded; both empty for a new state.
  SnapshotWriter(SnapshotOptions options, RowCatalog found, std::vector<RowVersion> unneeded);

  // For each group: after commit.lsn and commit.record are set, before it goes to the journal. Adds rows and erasures,
  // and says what may be trimmed. The ledger has not applied that record yet. What there is no memory for rides with a
  // later one; settled() needs none.
  void ride(Ledger& ledger, journal::Commit& commit);
  // What became of that commit: once for each ride(), before the next. After a failure the next one rides light, so
  // that the group itself gets through.
  void settled(bool durable);

  // The state lies in a new file, as one complete snapshot and nothing else.
  void begin_anew(RowCatalog found);

  bool writing() const { return current_.has_value(); }
  // Begin with the next commit, whatever the time: for tests and benchmarks.
  void request() { requested_ = true; }
  const RowCatalog& catalog() const { return catalog_; }
  std::uint64_t completed() const { return completed_; }  // since the start

 private:
  // The snapshot being written.
  struct Current {
    KeptSnapshot snapshot;
    bool begun = false;            // its begin row is durable
    std::uint32_t next_block = 0;  // those below have been walked
    std::size_t epochs_left = 0;   // of those that had changed at the begin
    std::deque<ObjectId> todo;     // those that ride stay in front until they are durable
  };
  struct Taken {
    ObjectId object;
    bool absent = false;
  };
  // What rides in the commit under way.
  struct Riding {
    bool begin = false;
    bool complete = false;
    std::vector<Taken> rows;
    std::size_t looked_at = 0;  // of todo: in rows, or nothing to write
    std::size_t erased = 0;     // of to_erase_
    // Once it is complete. (A deque takes memory from its beginning on.)
    std::optional<std::deque<RowVersion>> unneeded;
    std::size_t bytes = 0;
  };
  void load(Ledger& ledger, journal::Commit& commit);
  void note(Riding& riding);
  void look_into(RowCatalog found);
  bool due(const Ledger& ledger);
  void begin(const Ledger& ledger);
  void put(RowVersion version, Bytes value, journal::Commit& commit);
  void put_begin(journal::Commit& commit);
  void put_rows(Ledger& ledger, journal::Commit& commit);
  bool refill(Ledger& ledger, std::size_t& walks);
  bool all_looked_at() const { return riding_->looked_at == current_->todo.size(); }
  void take(const Ledger& ledger, ObjectId object, journal::Commit& commit);
  void erase_some(journal::Commit& commit);
  void put_complete(const Ledger& ledger, journal::Commit& commit);
  bool full() const { return riding_->bytes >= options_.slice_bytes || riding_->rows.size() >= options_.slice_rows; }

  SnapshotOptions options_;
  RowCatalog catalog_;
  std::optional<Current> current_;
  std::optional<Riding> riding_;
  std::deque<RowVersion> to_erase_;  // in this order: what says that an object is no more goes after what it hides
  Lsn definitions_lsn_ = 0;          // what of them had changed up to here is written
  std::vector<Lsn> blocks_lsn_;      // the same by block
  Lsn recovered_lsn_ = 0;            // the same for blocks not walked since the start
  std::optional<UnixMs> begun_ms_;
  std::uint64_t bytes_since_begin_ = 0;
  std::uint64_t completed_ = 0;
  bool requested_ = false;
  bool light_ = false;
};

}  // namespace nissa::ledger
