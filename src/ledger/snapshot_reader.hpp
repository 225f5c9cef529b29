// Takes the journal's rows as they are read (ascending by key, then generation) and loads those of the newest complete
// snapshot into a ledger: of each key the latest version that is not later than the snapshot. Pure.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

class SnapshotReader {
 public:
  // Of the complete snapshots none later than `latest` is loaded.
  SnapshotReader(Ledger& empty, RowCatalog& catalog, Generation latest)
      : ledger_(empty), catalog_(catalog), latest_(latest) {}

  // False: a row is not what was written; fault() says which.
  bool row(ByteView key, Generation generation, ByteView value);
  // All rows have been read. False as above.
  bool end();

  const std::string& fault() const { return fault_; }
  // After end(): the snapshot that was loaded; nullopt: there is none complete, the ledger is as it was.
  const std::optional<KeptSnapshot>& chosen() const { return chosen_; }
  const std::vector<KeptSnapshot>& complete() const { return complete_; }
  std::uint64_t loaded() const { return loaded_; }

 private:
  bool fail(const std::string& what);
  void choose();
  bool snapshot_row(ObjectId object, Generation generation, ByteView value);
  bool load_candidate();

  Ledger& ledger_;
  RowCatalog& catalog_;
  Generation latest_;
  std::vector<KeptSnapshot> complete_;
  std::optional<KeptSnapshot> chosen_;
  bool choosing_ = true;  // the rows of snapshots come first
  // The latest version so far of the object under way.
  struct Candidate {
    ObjectId object;
    Lsn lsn = 0;
    bool absent = false;
    Bytes bytes;
  };
  Candidate candidate_;
  bool has_candidate_ = false;
  bool meta_loaded_ = false;
  std::uint64_t loaded_ = 0;
  std::string fault_;
};

}  // namespace nissa::ledger
