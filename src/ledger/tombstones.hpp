// Epochs that ended by Goodbye: what still comes for them is answered unknown_epoch, for ever. A tombstone is needed
// just as long as its epoch_seen alone would let a batch in: 8 days of running time, or until `floor` has passed it.
// Beyond 8 MiB the ones with the oldest epoch_seen go, and floor, which is state, rises just above them.
//
// Which go depends on all of them, so it is decided when a group closes and the new floor stands in the record; with
// it, whether a tombstone lives is a question to that tombstone and the record alone. Pure. Taking away is done in
// slices: a dead one may lie here for a while, and nobody sees it.
#pragma once
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ledger/epoch_hash.hpp"
#include "ledger/epoch_order.hpp"
#include "ledger/record.hpp"

namespace nissa::ledger {

struct Tombstone {
  EpochSeen seen;
  // Not part of the state, as in EpochState.
  Lsn changed_lsn = 0;
  Lsn contained_lsn = 0;
  bool queued = false;
};

class Tombstones {
 public:
  static constexpr std::size_t bytes_each = 128;  // both tables, measured with their overhead

  Tombstones(std::size_t limit_bytes, std::uint64_t hash_seed)
      : limit_(limit_bytes / bytes_each), by_epoch_(0, EpochHash{hash_seed}) {}

  // nullptr: none, or a dead one.
  const Tombstone* find(Epoch epoch) const;
  Tombstone* find(Epoch epoch);
  void put(Epoch epoch, const Tombstone& tombstone);
  // So many put() need no memory then. Fails by std::bad_alloc.
  void make_room(std::size_t more);
  // From now on those with an epoch_seen before this are dead. Never sinks.
  void raise(RunningMs oldest_alive) { oldest_alive_ = oldest_alive > oldest_alive_ ? oldest_alive : oldest_alive_; }
  // Takes away at most `most` dead ones; `gone` gets the epochs of those that were not queued already.
  void sweep(std::size_t most, std::vector<Epoch>& gone);

  // The floor that makes room for these as well: `floor`, or just above the oldest that have to go.
  RunningMs floor_with(std::span<const EndedEpoch> ended, RunningMs floor) const;

  std::size_t size() const { return by_epoch_.size(); }
  std::size_t bytes() const { return size() * bytes_each; }
  // The living, ascending.
  std::vector<Epoch> epochs() const;

 private:
  std::size_t limit_;
  RunningMs oldest_alive_ = 0;
  boost::unordered_flat_map<Epoch, Tombstone, EpochHash> by_epoch_;
  EpochOrder by_seen_;
};

void encode(const Tombstone& tombstone, Bytes& out);
Result<Tombstone> decode_tombstone(ByteView bytes);

}  // namespace nissa::ledger
