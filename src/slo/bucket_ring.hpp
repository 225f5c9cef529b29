// The rows of one block in one ring. A period's row lies in slot period mod slots; what is held is less than the slots,
// so two live periods never meet. Time-major, because the current rows of all SLOs then lie together, a row that leaves
// is streamed, and a row of the past hardly ever changes: a snapshot has little to write.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "slo/row.hpp"
#include "slo/window.hpp"

namespace nissa::slo {

class BucketRing {
 public:
  explicit BucketRing(const RingSpec& spec) : rows_(static_cast<std::size_t>(spec.slots)) {}

  std::size_t slots() const { return rows_.size(); }
  std::size_t slot_of(std::int32_t period) const { return static_cast<std::uint32_t>(period) & (rows_.size() - 1); }
  const Row& row_in(std::size_t slot) const { return rows_[slot]; }
  Row& row_in(std::size_t slot) { return rows_[slot]; }

  // The row to count into; a slot that still holds an older period is begun anew. nullptr if it holds a newer one: then
  // `period` is not held by the ring, and the caller should not have come here.
  Row* claim(std::int32_t period) {
    Row& row = rows_[slot_of(period)];
    if (row.period() == period && !row.empty()) [[likely]]
      return &row;
    if (!row.empty() && row.period() > period) return nullptr;
    row.begin(period);
    return &row;
  }
  // Memory for that (Row::reserve).
  void reserve(std::int32_t period, std::uint64_t most) {
    Row& row = rows_[slot_of(period)];
    if (row.empty() || row.period() <= period) row.reserve(period, most);
  }
  // nullptr: nothing was counted in that period, or it has left.
  const Row* find(std::int32_t period) const {
    const Row& row = rows_[slot_of(period)];
    return row.period() == period && !row.empty() ? &row : nullptr;
  }
  // visitor(const Row&) for each row with from <= period < to, in order of time.
  template <class Visitor>
  void for_each(std::int32_t from, std::int32_t to, Visitor&& visitor) const {
    const std::int32_t last = std::min(to, from + static_cast<std::int32_t>(rows_.size()));
    for (std::int32_t period = from; period < last; ++period) {
      if (const Row* row = find(period)) visitor(*row);
    }
  }
  // Gives back the memory of the rows with from <= period < to.
  void release(std::int32_t from, std::int32_t to);
  // Of all others. Returns how many of these lay at `to` or later.
  std::size_t release_outside(std::int32_t from, std::int32_t to);

  std::size_t memory_bytes() const;

 private:
  std::vector<Row> rows_;
};

}  // namespace nissa::slo
