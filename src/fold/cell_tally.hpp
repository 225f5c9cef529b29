// Counts a batch into cells, each key once: a small table from keys to the cells so far. Emptied in no time by a new
// generation; as large as the batch can need, so that a small batch stays in the first cache lines. A known key and a
// new one are added by the same instructions: which comes next cannot be foretold, and a wrong guess costs more than
// all the rest.
// One lane; pure; about 2 ns an event; 40 bytes x the largest batch.
#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fold/options.hpp"
#include "slo/cell.hpp"

namespace nissa::fold {

class CellTally {
 public:
  // `secret`: agents choose the times, they must not choose the slots.
  explicit CellTally(std::uint64_t secret) : factor_(secret | 1) {}

  // A batch begins, and what was counted before is gone. At most `events` keys follow; at most most_events_a_batch.
  // Fails by std::bad_alloc; then the next begin() is as good as any.
  void begin(std::size_t events) {
    const std::size_t wanted = std::bit_ceil(std::max<std::size_t>(events, 4) * 2);
    const std::uint32_t next = generation_ + one_generation;
    if (slots_.size() < wanted || next == 0) {
      // Slots last: by their number it is known what is large enough, also when memory failed here before.
      const std::size_t slots = std::max(wanted, slots_.size());
      cells_.resize(slots / 2 + 1);
      slots_.assign(slots, 0);
      generation_ = one_generation;
    } else {
      generation_ = next;
    }
    mask_ = wanted - 1;
    used_ = 0;
  }
  void add(std::span<const std::uint64_t> keys) {
    // In registers, for what is stored here could be them, as far as the compiler knows.
    slo::Cell* const cells = cells_.data();
    std::uint32_t* const slots = slots_.data();
    const std::size_t mask = mask_;
    const std::uint32_t generation = generation_;
    std::uint32_t used = used_;
    for (const std::uint64_t key : keys) {
      // Of a slot of an earlier generation the difference is larger than any cell's number: it leads to the next free
      // cell, which bears the key already.
      const auto cell_of = [=](std::size_t slot) { return std::min(slots[slot] - generation, used); };
      cells[used] = {key, 0};
      std::size_t i = slot_of(key) & mask;
      while (cells[cell_of(i)].key != key) i = (i + 1) & mask;
      const std::uint32_t cell = cell_of(i);
      slots[i] = generation + cell;
      ++cells[cell].count;
      used += cell == used ? 1 : 0;
    }
    used_ = used;
  }
  // In the order in which their keys were first met.
  std::span<const slo::Cell> cells() const { return std::span(cells_).first(used_); }

 private:
  static constexpr std::uint32_t one_generation = most_events_a_batch + 1;
  std::size_t slot_of(std::uint64_t key) const {
    const auto product = static_cast<__uint128_t>(key ^ (factor_ >> 7)) * factor_;
    return static_cast<std::size_t>(product ^ (product >> 64));
  }

  std::uint64_t factor_;
  std::vector<std::uint32_t> slots_;  // generation + number of the cell
  std::vector<slo::Cell> cells_;
  std::size_t mask_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t generation_ = 0;
};

}  // namespace nissa::fold
