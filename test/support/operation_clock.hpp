// A clock that goes on with each operation of a PowerCutDisk, and not otherwise: what the journal's thread does by the
// time (ANCHOR is synced once a second) it does at the same place in every run, whatever other threads do meanwhile.
#pragma once
#include "base/clock.hpp"
#include "support/power_cut_vfs.hpp"

namespace nissa::test {

class OperationClock final : public Clock {
 public:
  explicit OperationClock(const PowerCutDisk& disk) : disk_(disk) {}
  UnixNs wall_ns() const override { return 1'749'995'200 * ns_per_s + passed(); }
  BootNs boot_ns() const override { return 3'600 * ns_per_s + passed(); }

 private:
  std::int64_t passed() const { return static_cast<std::int64_t>(disk_.operations()) * 60 * ns_per_ms; }
  const PowerCutDisk& disk_;
};

}  // namespace nissa::test
