// The running sums of one block: for each SLO the counts between the starts of consecutive windows (segments: the last
// 5 min, 5 min to 30 min, ... 3 d to 30 d). They are disjoint, so a count is one addition wherever it falls, and a
// window is a prefix sum. A cache of rings and head: rebuilt at a start, never stored.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "slo/counts.hpp"
#include "slo/row.hpp"
#include "slo/slo_id.hpp"
#include "slo/window.hpp"

namespace nissa::slo {

using WindowCounts = std::array<Counts, window_count>;

class WindowSums {
 public:
  WindowSums() : lanes_(std::make_unique<Lane[]>(block_lanes)) {}

  void add(std::uint32_t lane, std::size_t segment, const Counts& counts) { lanes_[lane].segments[segment] += counts; }
  // All lanes of a row; each streams once over the row and the lanes (16 KB for two segments, less than 1 µs).
  void add_row(std::size_t segment, const Row& row);
  void subtract_row(std::size_t segment, const Row& row);
  // The row's period left window `segment`: it now belongs to the next one, or to none after the last.
  void leave(std::size_t segment, const Row& row);
  // What the shorter windows already hold is no part of this segment.
  void subtract_shorter(std::size_t segment);
  void clear();

  // All windows of one SLO. About 5 ns when in cache.
  WindowCounts of(std::uint32_t lane) const {
    WindowCounts sums = lanes_[lane].segments;
    for (std::size_t w = 1; w < window_count; ++w) sums[w] += sums[w - 1];
    return sums;
  }
  static constexpr std::size_t memory_bytes() { return block_lanes * sizeof(Lane); }

 private:
  // All segments of an SLO in two cache lines, because judging reads them together.
  struct alignas(64) Lane {
    std::array<Counts, window_count> segments{};
  };
  std::unique_ptr<Lane[]> lanes_;
};

}  // namespace nissa::slo
