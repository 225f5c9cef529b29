// Ledger time: the boot clock, led towards the wall clock. Pure: both clocks' readings come in as arguments.
//
// The boot clock goes on through suspension and never jumps, but knows no date and drifts; the wall clock knows the
// date, but people and daemons set it. So now = boot clock + offset, where the offset follows the wall clock by at most
// 500 ppm, and a wall clock more than 5 s away from now is not believed: the hold. While held, time goes on along the
// boot clock with the old offset (so that honest events are not refused as future), until the wall clock has come back,
// has been stable for 5 min, or an operator accepts it. Never goes back: after adopting an earlier wall clock, and
// after a start before the last ledger time, time stands until the wall clock has passed it (hold "standing").
//
// Not synchronised: the ledger's strand owns it. A reading costs some 10 ns. No errors: any readings are taken.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/time_types.hpp"
#include "ledger/options.hpp"

namespace nissa::ledger {

enum class ClockHold : std::uint8_t {
  none,
  stepped_ahead,  // the wall clock was set forward: not adopted yet
  stepped_back,   // the wall clock was set back: not adopted yet
  standing,       // adopted, but it lies before the last ledger time, so time stands there
};
std::string_view name_of(ClockHold hold);

struct ClockReading {
  UnixMs now_ms = 0;
  ClockHold hold = ClockHold::none;
  std::int64_t apart_ms = 0;  // wall clock minus now; negative: the wall clock is behind
  bool held() const { return hold != ClockHold::none; }
};

struct ClockAccepted {
  std::int64_t moved_ms = 0;  // by how much the offset was set; 0 if there was nothing to accept
  std::int64_t blind_ms = 0;  // time now stands this long: short windows see nothing of it. Say so in the answer
};

class LedgerClock {
 public:
  // `last_ledger_ms`: of the recovered state, 0 for a new one. The wall clock is believed as it is at a start: there is
  // nothing to compare it with but the state's past.
  LedgerClock(ClockOptions options, UnixMs last_ledger_ms, BootNs boot, UnixNs wall);

  // To be called at least every few minutes, for the slewing. The ledger time never goes back from reading to reading.
  ClockReading read(BootNs boot, UnixNs wall);

  // An operator vouches for the wall clock of the last reading.
  ClockAccepted accept();

 private:
  ClockReading reading() const;
  void follow(std::int64_t offset_of_wall, std::int64_t elapsed_ns);
  void hold_or_adopt(std::int64_t offset_of_wall);

  ClockOptions options_;
  BootNs boot_;                   // of the last reading; never goes back
  std::int64_t wall_offset_;      // wall − boot of the last reading
  std::int64_t offset_;           // adopted: now = boot + offset
  UnixMs last_ms_;                // the last now told
  bool stepped_ = false;          // the wall clock is more than a step away
  std::int64_t held_offset_ = 0;  // the wall clock's offset whose stability is being waited for
  BootNs held_since_ = 0;
};

// A distance between two records of more than this was not measured: Nissa was not up and able to acknowledge.
inline constexpr std::int64_t longest_measured_ms = 20'000;

constexpr bool is_gap(UnixMs before_ms, UnixMs now_ms) { return now_ms - before_ms > longest_measured_ms; }

// The running time that the next record bears: the sum of the measured time.
constexpr RunningMs running_after(RunningMs running_ms, UnixMs before_ms, UnixMs now_ms) {
  return is_gap(before_ms, now_ms) || now_ms <= before_ms ? running_ms
                                                          : running_ms + static_cast<RunningMs>(now_ms - before_ms);
}

}  // namespace nissa::ledger
