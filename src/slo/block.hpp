// The counts of 256 SLOs: four rings of rows, the running sums of eight windows, lifetimes. Pure: time and lsn come
// with the record that is applied. One writer (the ledger's strand); readers on the same strand.
//
// A count goes into the row of every ring that still holds its bucket at the record's time, and depends on nothing
// else: each row is an object of its own for the fuzzy snapshot. So all that a record changes follows from the row and
// the record.
//
// Two ways to live:
//   live       advance() and add() keep the running sums.
//   replaying  after load_object(): a count is applied to a row only if its record is newer than what the row was
//   loaded
//              with; heads may step back (an object may have been taken later than the record that is replayed); there
//              are no sums until go_live().
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time_types.hpp"
#include "slo/bucket_ring.hpp"
#include "slo/counts.hpp"
#include "slo/life_row.hpp"
#include "slo/window.hpp"
#include "slo/window_sums.hpp"

namespace nissa::slo {

// Names one object of a block in a snapshot: a slot of a ring, or the life row.
struct BlockObject {
  std::uint8_t ring = 0;  // below ring_count, or life_object
  std::uint16_t slot = 0;
  bool operator==(const BlockObject&) const = default;
};
inline constexpr std::uint8_t life_object = ring_count;

class Block {
 public:
  enum class Mode { live, replaying };
  explicit Block(UnixMs head_ms, Mode mode = Mode::live);

  // The record's ledger time, before its counts are added: a record is one call of this and then its add()s. Cheap
  // within a bucket; at an edge 3 to 8 rows are streamed (3 µs with all lanes counting, 0.1 µs where nothing is there);
  // a jump of more than an hour rebuilds the sums (1 to 2 ms with 30 days filled), one past all windows clears. Live, a
  // step back is a violation and ignored.
  void advance(UnixMs head_ms);

  // One SLO's events of one 10 s bucket, good <= total, from the record `lsn`. Into the lifetime always; into the rings
  // that still hold the bucket (none if it is older than 30 d); into the sums, if the head has reached it, else when it
  // does. More than buckets_ahead ahead is a violation: the lifetime only.
  // 8 ns for the bucket of the count before in the same record, 25 ns for another one, and what the memory takes: with
  // 10 000 SLOs full of 30 days and counts all over them 60 to 160 ns. So give a record's counts in the order of block,
  // bucket, lane.
  void add(std::uint32_t lane, Bucket bucket, const Counts& counts, std::uint64_t lsn);

  // Live: memory for one bucket of the record `lsn`, whose ledger time is `head_ms` and whose counts of this block add
  // up to `most`. With that for each of its buckets, advance() and add() need none. Fails by std::bad_alloc; the state
  // is as before. 10 ns, 200 ns where a row is new.
  void reserve(UnixMs head_ms, Bucket bucket, std::uint64_t most, std::uint64_t lsn);

  UnixMs head_ms() const { return head_ms_; }
  // Live only.
  WindowCounts window_sums(std::uint32_t lane) const { return sums_.of(lane); }
  // From `from_ms`, rounded down to the period of the finest ring that still holds it, to the head: for periods that
  // are no standard window. A walk over the rows: up to 25 µs for 30 d.
  Counts sum_since(std::uint32_t lane, UnixMs from_ms) const;
  const Life& life(std::uint32_t lane) const { return life_.lanes[lane]; }
  // For looking at single rows: rings by index in ring_specs.
  const BucketRing& ring(std::size_t index) const { return rings_[index]; }

  // --- snapshot
  // -------------------------------------------------------------------------------------------------------
  struct ObjectVersion {
    BlockObject object;
    std::uint64_t changed_lsn;
  };
  // Those changed by a record after `lsn`, in order of ring and slot. About 10 µs.
  std::vector<ObjectVersion> objects_changed_after(std::uint64_t lsn) const;
  // The object's value as it is now (block_codec.hpp). false: there is nothing in it (its period left meanwhile), and
  // what a snapshot holds of it may stay: an expired row is dropped when it is loaded.
  bool encode_object(BlockObject object, Bytes& out) const;
  // Replaying only. `lsn`: the last record that the value contains. An error leaves the object empty.
  Status load_object(BlockObject object, ByteView value, std::uint64_t lsn);
  // The end of replaying: drops what has left every window at head_ms, and builds the sums. 1 to 2 ms.
  void go_live(UnixMs head_ms);

  // Live only. The same bytes for the same state, however it came about: rows that are held and not zero, by ring and
  // period, and lifetimes.
  void append_state(Bytes& out) const;
  std::size_t memory_bytes() const;

 private:
  struct LoadedLsns {
    std::array<std::vector<std::uint64_t>, ring_count> rows;  // by slot
    std::uint64_t life = 0;
  };
  // Where the counts of one bucket in one record go: worked out once for all SLOs.
  struct Target {
    Bucket bucket = std::numeric_limits<Bucket>::min();
    std::uint64_t lsn = 0;
    std::array<Row*, ring_count> rows{};
    std::size_t row_count = 0;
    std::size_t segment = window_count;  // none
    bool into_life = true;
  };
  void aim_at(Bucket bucket, std::uint64_t lsn);
  template <std::size_t Ring>
  void aim_at_ring(Bucket bucket, std::uint64_t lsn);
  void set_head(UnixMs head_ms);
  void roll_to(Bucket head);
  void rebuild_sums();
  Bucket ring_start(std::size_t ring) const { return starts_[longest_window_of_ring[ring]]; }

  std::array<BucketRing, ring_count> rings_;
  WindowSums sums_;
  LifeRow life_;
  UnixMs head_ms_ = 0;
  Bucket head_ = 0;
  WindowStarts starts_{};
  Target target_;                       // forgotten when the head moves on
  std::uint64_t reserved_lsn_ = 0;      // the record that there is memory for
  std::unique_ptr<LoadedLsns> loaded_;  // while replaying
};

}  // namespace nissa::slo
