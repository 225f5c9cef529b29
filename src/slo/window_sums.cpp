#include "slo/window_sums.hpp"

#include <algorithm>

namespace nissa::slo {

void WindowSums::add_row(std::size_t segment, const Row& row) {
  row.visit([&](const auto* cells) {
    for (std::size_t i = 0; i < block_lanes; ++i) {
      Counts& sum = lanes_[i].segments[segment];
      sum.good += cells[2 * i];
      sum.total += cells[2 * i + 1];
    }
  });
}

void WindowSums::subtract_row(std::size_t segment, const Row& row) {
  row.visit([&](const auto* cells) {
    for (std::size_t i = 0; i < block_lanes; ++i) {
      Counts& sum = lanes_[i].segments[segment];
      sum.good -= cells[2 * i];
      sum.total -= cells[2 * i + 1];
    }
  });
}

void WindowSums::leave(std::size_t segment, const Row& row) {
  subtract_row(segment, row);
  if (segment + 1 < window_count) add_row(segment + 1, row);
}

void WindowSums::subtract_shorter(std::size_t segment) {
  for (std::size_t i = 0; i < block_lanes; ++i) {
    auto& segments = lanes_[i].segments;
    for (std::size_t shorter = 0; shorter < segment; ++shorter) segments[segment] -= segments[shorter];
  }
}

void WindowSums::clear() { std::fill_n(lanes_.get(), block_lanes, Lane{}); }

}  // namespace nissa::slo
