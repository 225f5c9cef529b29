// When is a class refused? Not when its line is long, but when it does not go down: a line that was never empty for
// standing_ns, in which even the luckiest waited longer than the target. Bursts pass, a standing queue does not (the
// idea of CoDel, Nichols and Jacobson 2012). An empty line re-opens at once.
// One object a class. Pure; one strand or lock; a few nanoseconds a call; bounded: four numbers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/time_types.hpp"

namespace nissa::overload {

class QueueDelay {
 public:
  // target_ns 0: never refuses (CRITICAL).
  QueueDelay(std::int64_t standing_ns, std::int64_t target_ns) : standing_ns_(standing_ns), target_ns_(target_ns) {}

  void entered(BootNs now);
  void left(BootNs now, std::int64_t waited_ns);
  // True: a newcomer of this class is to be refused. Judged at every call, so that a line in which nobody moves at
  // all is judged too.
  bool refuses(BootNs now);

 private:
  void judge(BootNs now);

  static constexpr std::int64_t nobody_left = std::numeric_limits<std::int64_t>::max();
  std::int64_t standing_ns_;
  std::int64_t target_ns_;
  std::size_t in_line_ = 0;
  BootNs interval_start_ = 0;
  std::int64_t least_wait_ns_ = nobody_left;  // of those who left in this interval
  bool refuses_ = false;
};

}  // namespace nissa::overload
