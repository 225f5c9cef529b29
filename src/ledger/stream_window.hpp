// Which batches of one stream are settled: all below `low`, and by fingerprint those of the 256 numbers from low on.
// Any order inside the window is fine. Only the agent moves low: what it declared settled it will never send again, so
// nothing that it may still send is ever forgotten.
//
// Pure. Memory: 24 bytes and a ring of the smallest power of two that spans what is settled above low (8 bytes a
// number): 48 bytes for a stream that sends one batch at a time, 2.1 KiB at most. judge and settle: a few nanoseconds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"

namespace nissa::ledger {

// What the window says to a batch that comes.
enum class Judgement : std::uint8_t {
  absent,       // not counted yet
  duplicate,    // counted, with this body
  below_low,    // settled at the agent: nothing more is known
  conflict,     // counted, with another body
  window_full,  // too far ahead
};

class StreamWindow {
 public:
  static constexpr Sequence width = 256;

  // settled_below <= sequence, as the header check has proved. The window ends 256 above low or above the header's own
  // settled_below, whichever is more: duplicates never reach the journal, so by the stored low alone an agent whose
  // last batches were all duplicates would be stuck.
  Judgement judge(Sequence sequence, Sequence settled_below, Fingerprint print) const;
  // The batch is counted. It was judged absent, maybe some records ago: low may have passed it since. Needs no memory
  // after make_room().
  void settle(Sequence sequence, Sequence settled_below, Fingerprint print);
  // For settling this one as the window stands, or later in the same record. Fails by std::bad_alloc.
  void make_room(Sequence sequence, Sequence settled_below);
  // Gives back what has long been too much. Fails by std::bad_alloc; the window is as before.
  void trim();

  Sequence low() const { return low_; }
  // One more than the highest settled number, or low.
  Sequence top() const { return low_ + span_; }
  bool untouched() const { return low_ == 1 && span_ == 0; }

  std::size_t heap_bytes() const { return heap_bytes(capacity_); }
  // What settling this number would add to heap_bytes, at most. 0 for sequence == low: the lowest open number of a
  // stream always has a place, so a bound on memory delays an agent but never stops it.
  std::size_t growth(Sequence sequence, Sequence settled_below) const;

  // Calls fn(sequence, print) for what is settled from low on, ascending.
  template <class F>
  void for_each_settled(F fn) const {
    for (Sequence offset = 0; offset < span_; ++offset)
      if (has(low_ + offset)) fn(low_ + offset, print_at(low_ + offset));
  }

  // Canonical: equal windows have equal bytes, whatever their history.
  void encode(ByteWriter& out) const;
  // False: not what encode writes.
  bool decode(ByteReader& in);

  bool operator==(const StreamWindow& other) const;

 private:
  static std::size_t words_for(std::size_t capacity) { return (capacity + 63) / 64; }
  static std::size_t heap_bytes(std::size_t capacity);
  static std::size_t capacity_for(Sequence span);
  std::size_t slot(Sequence sequence) const { return static_cast<std::size_t>(sequence) & (capacity_ - 1u); }
  bool has(Sequence sequence) const {
    return (block_[capacity_ + slot(sequence) / 64] >> (slot(sequence) % 64) & 1) != 0;
  }
  Fingerprint print_at(Sequence sequence) const;
  void put(Sequence sequence, std::uint64_t print);
  void advance(Sequence to);
  void resize(std::size_t capacity);

  Sequence low_ = 1;  // numbers start at 1, so this declares nothing
  // capacity_ fingerprints (length << 32 | crc32c), then a bitmap of those that stand; a number's place is its value
  // modulo the capacity, so nothing moves when low does.
  std::unique_ptr<std::uint64_t[]> block_;
  std::uint16_t capacity_ = 0;  // 0 or a power of two, at most 256
  std::uint16_t span_ = 0;      // highest settled number − low + 1; 0: none
};

}  // namespace nissa::ledger
