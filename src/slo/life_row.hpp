// What 256 SLOs have counted since they began, and when that was: what outlives all windows.
#pragma once
#include <array>
#include <cstdint>
#include <limits>

#include "base/time_types.hpp"
#include "slo/counts.hpp"
#include "slo/slo_id.hpp"

namespace nissa::slo {

// Later than any time: all time before `born` is unmeasured.
inline constexpr UnixMs not_born = std::numeric_limits<UnixMs>::max();

struct Life {
  Counts lifetime;
  // Ledger time, to the millisecond, of the record that first counted an event of the SLO; never moved back, also not
  // by older events (a stray old one would void the protection of a cold start).
  UnixMs born = not_born;
  bool operator==(const Life&) const = default;
};

struct LifeRow {
  std::array<Life, block_lanes> lanes;
  std::uint64_t changed_lsn = 0;  // of the last record that changed it; 0: none did

  void add(std::uint32_t lane, const Counts& counts, UnixMs record_ms, std::uint64_t lsn) {
    Life& life = lanes[lane];
    life.lifetime += counts;
    if (life.born == not_born) life.born = record_ms;
    changed_lsn = lsn;
  }
};

}  // namespace nissa::slo
