#include "overload/retry_after.hpp"

#include <algorithm>
#include <cmath>

namespace nissa::overload {
namespace {
constexpr std::int64_t step_ns = 10 * ns_per_ms;
}

// An exponentially decayed sum over a time constant of 1 s, of a steady rate r, is r x 1 s.
double DrainRate::decay(BootNs now) const {
  return now <= last_ ? 1.0 : std::exp(-static_cast<double>(now - last_) / static_cast<double>(ns_per_s));
}

void DrainRate::drained(std::size_t bytes, BootNs now) {
  pending_ += bytes;
  if (now - last_ < step_ns) return;
  recent_ = recent_ * decay(now) + static_cast<double>(pending_);
  pending_ = 0;
  last_ = now;
}

double DrainRate::bytes_per_s(BootNs now) const { return recent_ * decay(now) + static_cast<double>(pending_); }

std::uint32_t retry_after_ms(std::size_t backlog_bytes, double bytes_per_s, double random, const Options& options) {
  const double least = options.least_retry_ms;
  const double most = options.most_retry_ms;
  double wait = backlog_bytes == 0 ? least : most;
  if (backlog_bytes > 0 && bytes_per_s >= 1)
    wait = std::clamp(static_cast<double>(backlog_bytes) / bytes_per_s * 1000.0, least, most);
  return static_cast<std::uint32_t>(wait * (1.0 + std::clamp(random, 0.0, 1.0)));
}

}  // namespace nissa::overload
