#include "ledger/cell_table.hpp"

#include <algorithm>
#include <utility>

namespace nissa::ledger {
namespace {

constexpr std::size_t nearly_empty = 32;  // a 32nd used

}  // namespace

std::uint64_t& CellTable::insert(std::size_t i, std::uint64_t key) {
  if ((used_.size() + 1) * 2 > slots_.size()) {
    grow(slots_.size() * 2);
    for (i = place(key); slots_[i].key != 0;) i = (i + 1) & mask_;
  }
  slots_[i].key = key;
  used_.push_back(static_cast<std::uint32_t>(i));
  return slots_[i].value;
}

void CellTable::fit(std::size_t more) {
  std::size_t slots = slots_.size();
  if (used_.empty() && idle_ >= long_idle) {
    idle_ = 0;
    slots = std::max(least_slots, slots / 2);
  }
  while ((used_.size() + more) * 2 > slots) slots *= 2;
  if (slots != slots_.size()) grow(slots);
}

void CellTable::grow(std::size_t slots) {
  std::vector<std::uint32_t> used;
  used.reserve(slots / 2);
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  mask_ = slots - 1;
  for (const std::uint32_t where : used_) {
    const Slot& slot = before[where];
    std::size_t i = place(slot.key);
    while (slots_[i].key != 0) i = (i + 1) & mask_;
    slots_[i] = slot;
    used.push_back(static_cast<std::uint32_t>(i));
  }
  used_.swap(used);
}

void CellTable::emptied() {
  idle_ = used_.size() * nearly_empty < slots_.size() && slots_.size() > least_slots ? idle_ + 1 : 0;
  used_.clear();
}

}  // namespace nissa::ledger
