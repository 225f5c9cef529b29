// The memory of proven identities: the bytes of an event's tail → which SLOs it belongs to, or why it is rejected.
// On a hit nothing is parsed and nothing matched. Only what was proven canonical is put in, and a hit compares all
// bytes, so a hit *is* the proof.
//
// Bounded in entries and in bytes; beyond, the oldest go, a segment of bytes at a time. That costs time, never counts.
// An index of 256 parts that grow each on its own, at different fillings: the whole grown at once would stall a lane
// for 20 ms at a million entries, a part takes 50 us.
//
// Use in steps, so that the loads of many events overlap: hash() and prefetch() for all, candidate() for all, then
// answers() one by one. A candidate is good until evictions() changes (its bytes may be another's then).
// One lane (no lock); pure. About 15 ns a hit in cache. 16 bytes an entry beside its own bytes and the index's slack.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "base/refusal.hpp"
#include "fold/identity_hash.hpp"
#include "slo/cell.hpp"

namespace nissa::fold {

// What is known of an identity.
class Known {
 public:
  constexpr Known() = default;  // belongs to no SLO
  static constexpr Known matches(slo::MatchSetId set) { return Known(set); }
  static constexpr Known rejected(EventFault fault) { return Known(fault_bit | static_cast<std::uint32_t>(fault)); }
  constexpr bool is_rejected() const { return (code_ & fault_bit) != 0; }
  constexpr EventFault fault() const { return static_cast<EventFault>(code_ & ~fault_bit); }
  constexpr slo::MatchSetId set() const { return code_; }
  constexpr bool operator==(const Known&) const = default;

 private:
  static constexpr std::uint32_t fault_bit = 1u << 31;  // ids of sets are below 2^24
  explicit constexpr Known(std::uint32_t code) : code_(code) {}
  std::uint32_t code_ = slo::empty_match_set;
};

class MatchMemo {
 public:
  // One remembered identity; its bytes follow in the segment.
  struct Entry {
    Known known;
    std::uint32_t size;
    const Byte* bytes() const { return reinterpret_cast<const Byte*>(this + 1); }
  };
  // Longer identities are not remembered: a few of them would push out all others. With the limits of names and labels
  // only unknown fields can make one that long.
  static constexpr std::size_t longest_remembered = 20'000;
  static constexpr std::size_t segment_bytes = std::size_t{128} << 10;
  static constexpr std::size_t place_bytes = 8;

  MatchMemo(std::size_t most_entries, std::size_t most_bytes, HashSeed seed);

  std::uint64_t hash(ByteView identity) const { return hash_(identity); }
  void prefetch(std::uint64_t hash) const { parts_[hash >> part_shift].prefetch(hash); }
  // The one entry that bears this hash, or nullptr; its bytes are on their way.
  const Entry* candidate(std::uint64_t hash) const {
    const Place place = parts_[hash >> part_shift].find(hash);
    if (place == nowhere) return nullptr;
    const Byte* const at = bytes_at(place);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);  // 10 ns less at a million identities
    return reinterpret_cast<const Entry*>(at);
  }
  static bool answers(const Entry* candidate, ByteView identity) {
    return candidate != nullptr && candidate->size == identity.size() &&
           (identity.empty() || std::memcmp(candidate->bytes(), identity.data(), identity.size()) == 0);
  }
  // All steps at once.
  const Entry* find(std::uint64_t hash, ByteView identity) const {
    const Entry* entry = candidate(hash);
    return answers(entry, identity) ? entry : nullptr;
  }

  // `identity` was proven. An older one of the same hash is replaced. May evict. Fails by std::bad_alloc; then this one
  // is not remembered, and what else is known is as right as before.
  void remember(std::uint64_t hash, ByteView identity, Known known);
  // When the rules change: what is known is wrong then. The index keeps its size, for as many will be learned again; so
  // this needs no memory, and cannot fail with the old rules half forgotten.
  void clear();

  std::size_t entries() const { return entries_; }
  // Segments and index: what counts against the bound.
  std::size_t bytes() const { return (segments_.size() + spare_.size()) * segment_bytes + index_bytes_; }
  // Changes whenever bytes that a candidate may point to are given away.
  std::uint64_t evictions() const { return evictions_; }

 private:
  // Where an entry begins: the number of its segment, from 1, and how many of eight bytes into it.
  using Place = std::uint32_t;
  static constexpr Place nowhere = 0;
  static constexpr std::uint32_t segment_places = segment_bytes / place_bytes;
  // Of the hash the low half: with the part's number 40 bits tell entries apart, and few pairs of a million share
  // these. So eight slots lie in a cache line.
  struct Slot {
    std::uint32_t tag;
    Place place;
  };
  // Open addressing, linear probing, one entry a tag. The slot is taken from the tag's low bits.
  class Part {
   public:
    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
    Place find(std::uint64_t hash) const {
      for (std::size_t i = hash & mask_;; i = (i + 1) & mask_) {
        if (slots_[i].place == nowhere || slots_[i].tag == static_cast<std::uint32_t>(hash)) return slots_[i].place;
      }
    }
    void begin();
    void clear();
    // The place that it replaced, or nowhere.
    Place put(std::uint64_t hash, Place place);
    void erase(std::uint64_t hash, Place place);
    bool is_full(std::size_t percent) const { return (used_ + 1) * 100 > (mask_ + 1) * percent; }
    void grow();
    std::size_t bytes() const { return (mask_ + 1) * sizeof(Slot); }

   private:
    std::unique_ptr<Slot[]> slots_;
    std::size_t mask_ = 0;
    std::size_t used_ = 0;
  };
  struct Segment {
    std::uint32_t number = 0;  // its bytes are blocks_[number]
    std::uint32_t used = 0;
    std::uint32_t entries = 0;  // put in; some may have been replaced since
  };
  static constexpr unsigned part_shift = 56;
  static constexpr std::size_t part_count = std::size_t{1} << (64 - part_shift);

  const Byte* bytes_at(Place place) const {
    return blocks_[place / segment_places].get() + place % segment_places * place_bytes;
  }
  bool over_budget() const;
  void evict_oldest();
  void make_room_for_index();
  Segment& segment_for(std::size_t size);
  void have_spare_block();

  std::size_t most_entries_;
  std::size_t most_bytes_;
  IdentityHash hash_;
  std::array<Part, part_count> parts_;
  std::deque<Segment> segments_;                 // the oldest first
  std::vector<std::unique_ptr<Byte[]>> blocks_;  // by number
  std::vector<std::uint32_t> spare_;             // numbers of evicted segments, used again
  std::vector<std::uint32_t> unused_;            // numbers without a block
  std::size_t entries_ = 0;
  std::size_t index_bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace nissa::fold
