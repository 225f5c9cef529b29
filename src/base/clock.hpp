// The two clocks of the machine, injected: no other file of src/ asks for the time.
#pragma once
#include "base/time_types.hpp"

namespace nissa {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixNs wall_ns() const = 0;
  virtual BootNs boot_ns() const = 0;
};

// CLOCK_REALTIME and CLOCK_BOOTTIME. Any thread; about 25 ns a reading.
class SystemClock final : public Clock {
 public:
  UnixNs wall_ns() const override;
  BootNs boot_ns() const override;
};

}  // namespace nissa
