#include "resilience/backoff.hpp"

#include <algorithm>
#include <limits>

namespace nissa::resilience {

std::int64_t Backoff::ceiling_ns() const {
  // Compared by shifting the bound down, not the first delay up: 2ⁿ would overflow after a day of failures.
  if (failures_ >= 62 || options_.first_ns > (options_.longest_ns >> failures_)) return options_.longest_ns;
  return std::min(options_.first_ns << failures_, options_.longest_ns);
}

std::int64_t Backoff::failed(std::uint64_t random_bits) {
  const std::int64_t ceiling = ceiling_ns();
  if (failures_ < std::numeric_limits<std::uint32_t>::max()) ++failures_;
  // The high half of a 64 × 64 bit product scales without the bias of a remainder.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::int64_t>((static_cast<Wide>(random_bits) * (static_cast<std::uint64_t>(ceiling) + 1)) >> 64);
}

}  // namespace nissa::resilience
