// What a refused sender is told to wait: the backlog by the rate at which it drains, times a random 1 to 2, so that
// those refused together do not return together.
// Pure; one strand or lock.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/time_types.hpp"
#include "overload/options.hpp"

namespace nissa::overload {

// Bytes a second, as a mean in which a second ago weighs 1/e; 0 before anything drained.
class DrainRate {
 public:
  void drained(std::size_t bytes, BootNs now);
  double bytes_per_s(BootNs now) const;

 private:
  double decay(BootNs now) const;
  double recent_ = 0;        // bytes, decayed up to last_
  std::size_t pending_ = 0;  // since then: an exponential a slice would cost more than the slice
  BootNs last_ = 0;
};

// `random` from 0 to 1. Clamped to the options' least and most before the factor. A backlog that does not
// drain at all: the most; none: the least.
std::uint32_t retry_after_ms(std::size_t backlog_bytes, double bytes_per_s, double random, const Options& options);

}  // namespace nissa::overload
