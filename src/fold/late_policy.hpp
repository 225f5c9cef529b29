// Whether an event's time can be counted. Decided once, here: the ledger counts what it is given.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include "base/time_types.hpp"
#include "slo/cell.hpp"

namespace nissa::fold {

struct LatePolicy {
  // The longest window W reaches back to floor(now, grid) - W, where grid is the period of the finest ring that holds
  // it. Older events are in no window any more.
  std::int64_t longest_window_ms = std::int64_t{30} * 24 * 3'600'000;
  std::int64_t grid_ms = 3'600'000;
  // Events ahead of ledger time are kept beyond the head of the rings, this far.
  std::int64_t ahead_ms = 10'000;
};

enum class Timing : std::uint8_t { on_time, too_old, in_the_future };

// The times that count for the batch that is folded now, on the agent's clock; made once a batch.
class CountedTimes {
 public:
  // skew_ns: how far the agent's clock is ahead of ours (clock_skew.hpp).
  CountedTimes(const LatePolicy& policy, UnixMs ledger_now_ms, std::int64_t skew_ns) : skew_ns_(skew_ns) {
    const UnixMs now_ms = std::clamp<UnixMs>(ledger_now_ms, 0, latest_ms);
    const UnixMs oldest_ms = now_ms / policy.grid_ms * policy.grid_ms - policy.longest_window_ms;
    oldest_ns_ = std::max<std::int64_t>(oldest_ms, 0) * ns_per_ms;
    newest_ns_ = (now_ms + policy.ahead_ms) * ns_per_ms;
    told_oldest_ = told(oldest_ns_);
    told_end_ = told(newest_ns_ + 1);
  }

  Timing judge(std::uint64_t told_unix_ns) const {
    if (told_unix_ns >= told_end_) return Timing::in_the_future;
    return told_unix_ns < told_oldest_ ? Timing::too_old : Timing::on_time;
  }
  // Of a time that is on_time.
  Bucket bucket(std::uint64_t told_unix_ns) const {
    return static_cast<Bucket>((told_unix_ns - static_cast<std::uint64_t>(skew_ns_)) / bucket_ns);
  }
  // Of an event without a time: that of arrival, on our clock.
  Bucket arrival_bucket(UnixMs arrival_ms) const {
    return bucket_of(std::clamp(arrival_ms, oldest_ns_ / ns_per_ms, newest_ns_ / ns_per_ms));
  }

 private:
  static constexpr std::uint64_t bucket_ns = static_cast<std::uint64_t>(bucket_ms * ns_per_ms);
  // Nanoseconds and the bits of a cell's bucket end in 2262 and 2310: times are cut in 2200, far from either.
  static constexpr UnixMs latest_ms = UnixMs{7'258'118'400'000};

  // Our time on the agent's clock, within what a fixed64 can say.
  std::uint64_t told(std::int64_t ns) const {
    const __int128 shifted = static_cast<__int128>(ns) + skew_ns_;
    return static_cast<std::uint64_t>(std::clamp<__int128>(shifted, 0, std::numeric_limits<std::uint64_t>::max()));
  }

  std::int64_t skew_ns_;
  std::int64_t oldest_ns_;
  std::int64_t newest_ns_;
  std::uint64_t told_oldest_;
  std::uint64_t told_end_;  // one past the newest: 0 where the agent's clock cannot tell our time at all
};

}  // namespace nissa::fold
