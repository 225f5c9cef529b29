#include "fold/clock_skew.hpp"

#include <algorithm>
#include <limits>

namespace nissa::fold {
namespace {

constexpr std::int64_t threshold_ns = 2 * ns_per_s;
constexpr std::uint64_t longest_round_trip_ns = ns_per_s;
// An agent may send any 64 bits; a clock that is a hundred years off is as wrong as one that is a thousand.
constexpr std::int64_t most_ns = std::int64_t{100} * 366 * 24 * 3600 * ns_per_s;

std::int64_t ahead(std::uint64_t sent_at_unix_ns, UnixNs read_at_ns) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto sent = static_cast<std::int64_t>(std::min(sent_at_unix_ns, most));
  return std::clamp(sent - read_at_ns, -most_ns, most_ns);
}

}  // namespace

void ClockSkew::batch(std::uint64_t sent_at_unix_ns, UnixNs read_at_ns) {
  if (sent_at_unix_ns != 0) note(ahead(sent_at_unix_ns, read_at_ns));
}

void ClockSkew::exchange(std::uint64_t sent_at_unix_ns, UnixNs read_at_ns, std::optional<std::uint64_t> round_trip_ns) {
  if (exchanged_ && round_trip_ns && *round_trip_ns < longest_round_trip_ns) {
    // The exchange that was measured is one of the last two; of the other only that its delay was not negative is
    // known. So the larger of both lies within that round trip below the skew; the middle is the best guess.
    const std::int64_t seen = exchanged_twice_ ? std::max(last_exchange_ns_, before_last_ns_) : last_exchange_ns_;
    proven_ns_ = seen + static_cast<std::int64_t>(*round_trip_ns / 2);
  }
  if (sent_at_unix_ns == 0) return;
  before_last_ns_ = last_exchange_ns_;
  exchanged_twice_ = exchanged_;
  last_exchange_ns_ = ahead(sent_at_unix_ns, read_at_ns);
  exchanged_ = true;
  note(last_exchange_ns_);
}

void ClockSkew::note(std::int64_t ahead_ns) {
  ahead_ns_[noted_++ % remembered] = ahead_ns;
  const std::size_t known = std::min<std::size_t>(noted_, remembered);
  const std::int64_t at_least = *std::max_element(ahead_ns_.begin(), ahead_ns_.begin() + static_cast<long>(known));
  // What was proven before may have been corrected since: the clock cannot be behind what a message shows.
  std::int64_t skew = at_least;
  if (skew < 0) skew = proven_ns_ ? std::min<std::int64_t>(std::max(*proven_ns_, at_least), 0) : 0;
  const bool matters = skew > threshold_ns || skew < -threshold_ns;
  shift_ns_ = matters && mode_ == AgentClock::corrected ? skew : 0;
}

}  // namespace nissa::fold
