#include "base/clock.hpp"

#include <ctime>

namespace nissa {
namespace {

std::int64_t read_ns(clockid_t which) {
  timespec now{};
  clock_gettime(which, &now);
  return static_cast<std::int64_t>(now.tv_sec) * ns_per_s + now.tv_nsec;
}

}  // namespace

UnixNs SystemClock::wall_ns() const { return read_ns(CLOCK_REALTIME); }
BootNs SystemClock::boot_ns() const { return read_ns(CLOCK_BOOTTIME); }

}  // namespace nissa
