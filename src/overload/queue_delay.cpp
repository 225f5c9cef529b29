#include "overload/queue_delay.hpp"

#include <algorithm>

#include "base/violation.hpp"

namespace nissa::overload {

void QueueDelay::entered(BootNs now) {
  if (in_line_++ == 0) {
    interval_start_ = now;
    least_wait_ns_ = nobody_left;
  }
}

void QueueDelay::left(BootNs now, std::int64_t waited_ns) {
  if (in_line_ == 0) {
    violation("overload", "only who entered the line leaves it");
    return;
  }
  least_wait_ns_ = std::min(least_wait_ns_, waited_ns);
  judge(now);
  if (--in_line_ == 0) refuses_ = false;
}

bool QueueDelay::refuses(BootNs now) {
  judge(now);
  return refuses_;
}

void QueueDelay::judge(BootNs now) {
  if (in_line_ == 0 || target_ns_ == 0 || now - interval_start_ < standing_ns_) return;
  refuses_ = least_wait_ns_ > target_ns_;
  interval_start_ = now;
  least_wait_ns_ = nobody_left;
}

}  // namespace nissa::overload
