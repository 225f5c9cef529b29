// A hash table from cells to numbers, for the one hot place of the ledger: every cell of every batch is added here.
// Open addressing, linear probing, no deletion; emptied in the time of what is in it, so one table serves group after
// group. A look-up that hits touches one cache line and costs 3 – 5 ns; prefetch hides what lies beyond the cache.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nissa::ledger {

class CellTable {
 public:
  // Keys come from outside in part (times, labels): the seed keeps the buckets secret. No key is 0.
  explicit CellTable(std::uint64_t hash_seed) : seed_(hash_seed) { grow(least_slots); }

  // So many keys go in without memory then. Fails by std::bad_alloc; the table is as before.
  void make_room(std::size_t more) {
    if ((used_.size() + more) * 2 > slots_.size() || (used_.empty() && idle_ >= long_idle)) [[unlikely]]
      fit(more);
  }
  void prefetch(std::uint64_t key) const { __builtin_prefetch(&slots_[place(key)], 1); }
  // The number of this key, 0 at first. Valid until the next call.
  std::uint64_t& at(std::uint64_t key) {
    for (std::size_t i = place(key);; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (slot.key == key) return slot.value;
      if (slot.key == 0) return insert(i, key);
    }
  }

  std::size_t size() const { return used_.size(); }
  // Calls fn(key, value) for each, in no particular order, and is empty. Keeps its memory, so that what was in it may
  // be put back; a table that has long been far too big shrinks when next there is room to be made.
  template <class F>
  void take_all(F fn) {
    const bool dense = used_.size() * scan_if > slots_.size();
    const std::size_t count = dense ? slots_.size() : used_.size();
    for (std::size_t i = 0; i < count; ++i) {  // a walk in order of memory, unless most of it is empty
      Slot& slot = slots_[dense ? i : used_[i]];
      if (slot.key != 0) fn(slot.key, slot.value);
      slot = Slot{};
    }
    emptied();
  }
  std::size_t bytes() const { return slots_.size() * sizeof(Slot) + used_.capacity() * sizeof(std::uint32_t); }

 private:
  static constexpr std::size_t least_slots = 1024;
  static constexpr unsigned long_idle = 1000;  // groups: some seconds
  struct Slot {
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };
  std::size_t place(std::uint64_t key) const {
    const auto wide = static_cast<unsigned __int128>(key ^ seed_) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(static_cast<std::uint64_t>(wide >> 64) ^ static_cast<std::uint64_t>(wide)) & mask_;
  }
  static constexpr std::size_t scan_if = 8;
  std::uint64_t& insert(std::size_t i, std::uint64_t key);
  void emptied();
  void fit(std::size_t more);
  void grow(std::size_t slots);

  std::uint64_t seed_;
  std::size_t mask_ = 0;
  std::vector<Slot> slots_;          // a power of two, at most half full
  std::vector<std::uint32_t> used_;  // has memory for half as many
  unsigned idle_ = 0;                // how often in a row it was cleared nearly empty
};

}  // namespace nissa::ledger
