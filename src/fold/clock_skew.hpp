// How far an agent's clock is ahead of ours (negative: behind), as far as it can be known; one object a connection.
//
// Each message bears when it was sent, on the agent's clock; sent_at - read_at = skew - delay, and the delay (the
// network, a held connection, a batch that is retried late) is never negative. So the largest of the last 16 is a lower
// bound of the skew: when it is positive, the clock is ahead by that much at least. A negative one may be delay alone:
// that a clock is behind is believed only of a Hello or Heartbeat whose round trip took less than a second.
// Read_at is in ledger time, which the events are counted by: a step of our own wall clock, held there, must not make
// every agent's clock wrong.
// Pure; one strand; bounded: 16 numbers.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time_types.hpp"
#include "fold/options.hpp"

namespace nissa::fold {

class ClockSkew {
 public:
  explicit ClockSkew(AgentClock mode = AgentClock::corrected) : mode_(mode) {}

  // A batch's header was read. sent_at 0: not told.
  void batch(std::uint64_t sent_at_unix_ns, UnixNs read_at_ns);
  // A Hello or Heartbeat was read. `round_trip_ns`: the agent's last measurement, so of the exchange before this
  // message or the one before that.
  void exchange(std::uint64_t sent_at_unix_ns, UnixNs read_at_ns, std::optional<std::uint64_t> round_trip_ns);

  // What event times are to be shifted back by, and what the ack says: 0 up to 2 s either way, and in `trusted` mode.
  std::int64_t shift_ns() const { return shift_ns_; }

 private:
  void note(std::int64_t ahead_ns);

  static constexpr std::size_t remembered = 16;
  AgentClock mode_;
  std::array<std::int64_t, remembered> ahead_ns_{};  // a ring
  std::uint32_t noted_ = 0;
  std::int64_t last_exchange_ns_ = 0;  // sent_at - read_at of the last Hello or Heartbeat
  bool exchanged_ = false;
  std::int64_t before_last_ns_ = 0;  // and of the one before
  bool exchanged_twice_ = false;
  std::optional<std::int64_t> proven_ns_;  // by the last round trip under a second
  std::int64_t shift_ns_ = 0;
};

}  // namespace nissa::fold
