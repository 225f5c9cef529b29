// The eight standard windows and the rings that hold them. Window W at time `now` is [floor(now, grid) − W, now]: its
// start moves in steps of the period of the finest ring that holds it, so a sum is exact on that grid, and the only
// error is at the trailing edge, at most one period (3.3 % of 5 min, 0.14 % of 30 d).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time_types.hpp"

namespace nissa::slo {

inline constexpr std::int64_t second_ms = 1000;
inline constexpr std::int64_t minute_ms = 60 * second_ms;
inline constexpr std::int64_t hour_ms = 60 * minute_ms;
inline constexpr std::int64_t day_ms = 24 * hour_ms;

// A ring counts by period; it holds the periods of its longest window, the current one and what lies ahead.
struct RingSpec {
  std::int64_t period_ms;
  std::int64_t held_ms;
  std::int32_t
      slots;  // a power of two with room for all that is held; a row is allocated only when something is counted
  constexpr std::int32_t period_buckets() const { return static_cast<std::int32_t>(period_ms / bucket_ms); }
};
inline constexpr std::array<RingSpec, 4> ring_specs{{{10 * second_ms, hour_ms, 512},
                                                     {minute_ms, 6 * hour_ms, 512},
                                                     {5 * minute_ms, 3 * day_ms, 1024},
                                                     {hour_ms, 30 * day_ms, 1024}}};
inline constexpr std::size_t ring_count = ring_specs.size();

struct Window {
  std::string_view name;
  std::int64_t length_ms;
  std::size_t ring;  // the finest that holds it
  constexpr std::int64_t grid_ms() const { return ring_specs[ring].period_ms; }
};
inline constexpr std::array<Window, 8> windows{{{"5m", 5 * minute_ms, 0},
                                                {"30m", 30 * minute_ms, 0},
                                                {"1h", hour_ms, 0},
                                                {"2h", 2 * hour_ms, 1},
                                                {"6h", 6 * hour_ms, 1},
                                                {"1d", day_ms, 2},
                                                {"3d", 3 * day_ms, 2},
                                                {"30d", 30 * day_ms, 3}}};
inline constexpr std::size_t window_count = windows.size();
// Indexes that the rules name.
inline constexpr std::size_t window_5m = 0;
inline constexpr std::size_t window_1h = 2;
inline constexpr std::size_t window_30d = 7;

// How far ahead of the head a count may lie. The late policy lets 10 s pass; the rest is for a head that lags behind
// the clock of the fold.
inline constexpr Bucket buckets_ahead = 6;

// Where each window starts when the head is in bucket `head`; never before 1970. Ascending in time from the last to the
// first.
using WindowStarts = std::array<Bucket, window_count>;
constexpr WindowStarts window_starts(Bucket head) {
  WindowStarts starts{};
  for (std::size_t w = 0; w < window_count; ++w) {
    const std::int32_t grid = ring_specs[windows[w].ring].period_buckets();
    const Bucket start = head / grid * grid - static_cast<Bucket>(windows[w].length_ms / bucket_ms);
    starts[w] = start > 0 ? start : 0;
  }
  return starts;
}
constexpr UnixMs window_start_ms(const Window& window, UnixMs now_ms) {
  return now_ms / window.grid_ms() * window.grid_ms() - window.length_ms;
}
// The last window of a ring is the longest: where it starts, the ring starts.
inline constexpr std::array<std::size_t, ring_count> longest_window_of_ring{2, 4, 6, 7};

}  // namespace nissa::slo
