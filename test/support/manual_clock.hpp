// A clock turned by hand. Any thread.
#pragma once
#include <atomic>

#include "base/clock.hpp"

namespace nissa::test {

class ManualClock final : public Clock {
 public:
  // Starts at a time at which nothing is special: 2025-06-15 13:46:40 UTC, one hour after boot.
  explicit ManualClock(UnixNs wall_ns = 1'749'995'200 * ns_per_s, BootNs boot_ns = 3'600 * ns_per_s)
      : wall_ns_(wall_ns), boot_ns_(boot_ns) {}

  UnixNs wall_ns() const override { return wall_ns_.load(std::memory_order_relaxed); }
  BootNs boot_ns() const override { return boot_ns_.fetch_add(at_each_look_, std::memory_order_relaxed); }

  // Both go on together.
  void advance(std::int64_t ns) {
    wall_ns_.fetch_add(ns, std::memory_order_relaxed);
    boot_ns_.fetch_add(ns, std::memory_order_relaxed);
  }
  // From here on the time since boot goes on by a nanosecond at each look, as that of a real clock does: for loops that
  // might wait for an instant that is always a little later.
  void tick_at_each_look() { at_each_look_ = 1; }
  // Somebody sets the wall clock; the time since boot goes on.
  void step_wall(std::int64_t ns) { wall_ns_.fetch_add(ns, std::memory_order_relaxed); }

 private:
  std::atomic<UnixNs> wall_ns_;
  mutable std::atomic<BootNs> boot_ns_;
  BootNs at_each_look_ = 0;
};

}  // namespace nissa::test
