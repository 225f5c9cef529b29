#include "slo/row.hpp"

#include <algorithm>

namespace nissa::slo {
namespace {
constexpr std::size_t row_cells = 2 * block_lanes;
}

void Row::begin(std::int32_t period) {
  period_ = period;
  wide_.reset();
  if (narrow_ != nullptr) {
    std::fill_n(narrow_.get(), row_cells, 0u);
  } else {
    narrow_ = std::make_unique<std::uint32_t[]>(row_cells);
  }
}

void Row::promote() {
  wide_ = std::make_unique_for_overwrite<std::uint64_t[]>(row_cells);
  std::copy_n(narrow_.get(), row_cells, wide_.get());
  narrow_.reset();
}

Counts Row::at(std::uint32_t lane) const {
  Counts counts;
  visit([&](const auto* cells) { counts = {cells[2 * lane], cells[2 * lane + 1]}; });
  return counts;
}

void Row::release() {
  narrow_.reset();
  wide_.reset();
}

std::size_t Row::memory_bytes() const {
  std::size_t bytes = 0;
  visit([&](const auto* cells) { bytes = row_cells * sizeof *cells; });
  return bytes;
}

}  // namespace nissa::slo
