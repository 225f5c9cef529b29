#include "slo/row.hpp"

#include <algorithm>

namespace nissa::slo {
namespace {
constexpr std::size_t row_cells = 2 * block_lanes;
constexpr std::uint64_t most_narrow = std::numeric_limits<std::uint32_t>::max();
constexpr unsigned bound_shift = 16;
}  // namespace

void Row::begin(std::int32_t period) {
  if (narrow_ == nullptr && wide_ != nullptr && reserved_) {
    std::fill_n(wide_.get(), row_cells, 0u);
  } else {
    if (narrow_ != nullptr) {
      std::fill_n(narrow_.get(), row_cells, 0u);
    } else {
      narrow_ = std::make_unique<std::uint32_t[]>(row_cells);
    }
    if (!reserved_) wide_.reset();
  }
  period_ = period;
  bound_ = no_bound;
  reserved_ = false;
}

void Row::reserve(std::int32_t period, std::uint64_t most) {
  if (period_ == period) return expect(most);
  if (narrow_ == nullptr && wide_ == nullptr) narrow_ = std::make_unique_for_overwrite<std::uint32_t[]>(row_cells);
  if (most > most_narrow && wide_ == nullptr) wide_ = std::make_unique_for_overwrite<std::uint64_t[]>(row_cells);
  reserved_ = true;
}

void Row::expect(std::uint64_t most) {
  if (narrow_ == nullptr || wide_ != nullptr) return;
  const auto units = [](std::uint64_t counts) { return (counts >> bound_shift) + 1; };
  std::uint64_t bound = bound_ + units(most);
  if (bound_ == no_bound || bound >= no_bound) {
    std::uint32_t largest = 0;
    for (std::size_t i = 1; i < row_cells; i += 2) largest = std::max(largest, narrow_[i]);
    if (largest + most > most_narrow) wide_ = std::make_unique_for_overwrite<std::uint64_t[]>(row_cells);
    bound = std::min<std::uint64_t>(units(largest) + units(most), no_bound);
  }
  bound_ = static_cast<std::uint16_t>(bound);
}

void Row::promote() {
  if (wide_ == nullptr) wide_ = std::make_unique_for_overwrite<std::uint64_t[]>(row_cells);
  std::copy_n(narrow_.get(), row_cells, wide_.get());
  narrow_.reset();
}

Counts Row::at(std::uint32_t lane) const {
  Counts counts;
  visit([&](const auto* cells) { counts = {cells[2 * lane], cells[2 * lane + 1]}; });
  return counts;
}

void Row::release() {
  period_ = no_period;
  if (reserved_) return;
  narrow_.reset();
  wide_.reset();
}

std::size_t Row::memory_bytes() const {
  return (narrow_ != nullptr ? row_cells * sizeof narrow_[0] : 0) +
         (wide_ != nullptr ? row_cells * sizeof wide_[0] : 0);
}

}  // namespace nissa::slo
