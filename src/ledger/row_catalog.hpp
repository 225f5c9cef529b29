// Which versions of which rows lie in the journal's database, and which of them a kept snapshot still needs.
#pragma once
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <map>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/objects.hpp"

namespace nissa::ledger {

using journal::Lsn;

// A version of a row bears the generation of the snapshot that wrote it; snapshot n consists of the latest version <= n
// of each row.
using Generation = std::uint64_t;

struct RowVersion {
  ObjectId object;
  Generation generation = 0;
  auto operator<=>(const RowVersion&) const = default;
};

struct KeptSnapshot {
  Generation generation = 0;
  Lsn begin_lsn = 0;     // the first record that is not in every row: replay starts there
  Lsn complete_lsn = 0;  // no row was taken after this record
  bool operator==(const KeptSnapshot&) const = default;
};

// About 100 bytes a row. Pure; the ledger's strand.
class RowCatalog {
 public:
  // Complete ones, the older first; at most two.
  const std::vector<KeptSnapshot>& kept() const { return kept_; }
  // Of all versions ever met: a new snapshot's is higher.
  Generation highest() const { return highest_; }
  // Records below are needed by neither kept snapshot. 0: all are needed.
  Lsn trim_below() const { return kept_.empty() ? 0 : kept_.front().begin_lsn; }
  bool has(ObjectId object) const { return versions_.contains(object); }
  std::size_t rows() const { return versions_.size(); }

  // A version is durable. `absent`: it says that the object was no more. Needs no memory after make_room() for it.
  void note(RowVersion version, bool absent);
  // For noting this one, beside `others` that are to be noted in its generation, too. Fails by std::bad_alloc.
  void make_room(RowVersion version, std::size_t others);
  // Its erasure is durable.
  void forget(RowVersion version);
  // A snapshot is complete: it is kept, and of three the oldest is not. Returns the versions that nobody needs any
  // more; they stay noted until their erasure is durable, in this order. O(rows written by the older kept snapshot).
  std::vector<RowVersion> keep(KeptSnapshot snapshot);
  // The same in two steps, of which the second needs no memory.
  std::vector<RowVersion> unneeded_with(KeptSnapshot snapshot) const;
  void settle(KeptSnapshot snapshot);
  // At a start, when all is noted: the same, over all rows, leftovers of a snapshot that was never completed too.
  std::vector<RowVersion> keep_at_start(std::vector<KeptSnapshot> complete);

 private:
  struct Hash {
    std::size_t operator()(const ObjectId& object) const {
      return static_cast<std::size_t>((object.id ^ static_cast<std::uint64_t>(object.kind) << 56) *
                                      0x9E3779B97F4A7C15ULL);
    }
  };
  using Versions = boost::container::small_vector<Generation, 2>;  // ascending

  void add_dead_absences(Generation oldest, std::vector<RowVersion>& unneeded) const;
  void drop_lists();
  static std::vector<KeptSnapshot> with_memory_for_three();

  boost::unordered_flat_map<ObjectId, Versions, Hash> versions_;
  std::map<Generation, std::vector<ObjectId>> written_;  // by the kept snapshots and the one being written
  std::vector<RowVersion> absences_;
  std::vector<KeptSnapshot> kept_ = with_memory_for_three();
  Generation highest_ = 0;
};

}  // namespace nissa::ledger
