// A database that may be damaged, read for --accept-loss: each record and row that proves to be what was written, and
// none that does not. Nothing is guessed: rows count only if there is proof that all of them are known.
//
// That proof is the digest in a record (docs/journal-format.md). Of a damaged row its stored CRC still stands in it, so
// which row it was is known when the table and its index, each by itself, say the same.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "journal/row_digest.hpp"
#include "journal/sqlite_store.hpp"

namespace nissa::journal {

// Thread: one at a time; blocking. Takes the memory of all rows' keys.
class SoundPart final : public JournalReader {
 public:
  // `options` outlives it. Error: it cannot be opened at all, or was written by a newer Nissa.
  static JournalResult<std::unique_ptr<SoundPart>> of(const Options& options, const std::string& path);

  // The sound ones; none if it is not known that all are known.
  JournalStatus read_rows(const RowVisitor& visit) override;
  // Up to the first that is not sound or not there, which is no error.
  JournalStatus read_records(Lsn from, const RecordVisitor& visit) override;

  // Of each key the latest version that is not later than `generation`: is one of these not sound? 0 has none.
  bool lacks_rows(std::uint64_t generation) const;
  std::uint64_t start_generation() const { return store_->generation(); }

 private:
  struct Row {
    Bytes key;
    std::uint64_t generation = 0;
    std::uint64_t rowid = 0;
    std::uint32_t stored_crc = 0;
    std::uint32_t crc = 0;  // of what it holds now
    bool sound = false;
    bool identified = true;  // key and generation are sure
  };
  explicit SoundPart(std::unique_ptr<Store> store) : store_(std::move(store)) {}
  void find_rows();
  bool find_rows_by(const char* list);
  bool look_up(Statement& by_rowid, Row& row) const;
  bool all_known();
  std::vector<RowDigest> last_digests() const;

  std::unique_ptr<Store> store_;
  std::vector<Row> rows_;  // by key, then generation
  bool known_ = false;     // they are all there are
};

}  // namespace nissa::journal
