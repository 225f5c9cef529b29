// Which versions of which rows lie in the journal's database, and which of them a kept snapshot needs.
#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/objects.hpp"

namespace nissa::ledger {

// A version of a row bears the generation of the snapshot that wrote it; snapshot n consists of the latest version <= n
// of each row.
using Generation = std::uint64_t;

struct RowVersion {
  ObjectId object;
  Generation generation = 0;
  bool operator==(const RowVersion&) const = default;
};

struct KeptSnapshot {
  Generation generation = 0;
  Lsn begin_lsn = 0;     // the first record that is not in every row: replay starts there
  Lsn complete_lsn = 0;  // no row was taken after this record
  bool operator==(const KeptSnapshot&) const = default;
};

class RowCatalog {
 public:
  // Complete ones, the older first; at most two.
  const std::vector<KeptSnapshot>& kept() const { return kept_; }
  // Of all versions ever met, so that a new snapshot's is higher.
  Generation highest() const { return highest_; }
  Lsn trim_below() const { return kept_.empty() ? 0 : kept_.front().begin_lsn; }

  void note(RowVersion version, bool absent);  // it is durable
  void forget(RowVersion version);             // its erasure is
  // A snapshot is complete: it is kept, and the oldest of three is not. Returns the versions that nobody needs any
  // more.
  std::vector<RowVersion> keep(KeptSnapshot snapshot);
  // At a start: the versions that neither of the kept snapshots needs, leftovers of one that was never completed too.
  std::vector<RowVersion> unneeded() const;
  std::size_t rows() const { return versions_.size(); }
};

}  // namespace nissa::ledger
