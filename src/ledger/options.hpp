// The ledger's bounds and paces. What an operator may set of them has a row in docs/configuration.md; the rest are
// constants that tests turn down.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/time_types.hpp"

namespace nissa::ledger {

// An epoch is forgotten 8 days of running time after its last record; an agent keys batches into an epoch for one day
// only: the 7 days between are what is promised.
inline constexpr RunningMs epoch_memory_ms = 8ULL * 24 * 3600 * 1000;

struct EpochLimits {
  std::size_t bytes = 64u << 20;           // all epochs and their windows
  unsigned principal_percent = 10;         // of it, one principal's most
  std::size_t tombstone_bytes = 8u << 20;  // beside it
  RunningMs memory_ms = epoch_memory_ms;   // no operator's choice: agents count on it. The simulator turns it down
};

struct CommitOptions {
  std::int64_t spacing_ns = 5 * ns_per_ms;  // from the end of a commit to the next, unless nothing came for longer
  std::size_t group_bytes = 4u << 20;       // of the open group and who waits; beyond, sessions wait
  std::int64_t slow_after_ns = 2 * ns_per_s;
  // Told with refusals, times 1 to 2 by the batch's key.
  std::uint32_t retry_soon_ms = 200;      // what a commit will settle
  std::uint32_t retry_later_ms = 10'000;  // what needs an epoch to be forgotten or a disk to be mended
};

struct SnapshotOptions {
  std::int64_t every_ms = 60'000;           // of ledger time, begin to begin
  std::uint64_t journal_bytes = 64u << 20;  // or so many bytes of records since the last begin
  std::size_t slice_bytes = 128u << 10;     // of rows in one transaction (its last row may go beyond): half a ms
  std::size_t slice_rows = 512;             // and so many rows, each some microseconds of SQLite
  std::size_t slice_erasures = 256;         // as many erasures of old versions ride along
};

struct ClockOptions {
  std::int64_t slew_ppm = 500;
  std::int64_t step_ms = 5'000;      // further apart, the wall clock is not believed
  std::int64_t stable_ms = 300'000;  // until it has been stable for so long
  std::int64_t wobble_ms = 1'000;    // a held wall clock that moves by more than this is not stable
};

struct Options {
  CommitOptions commit;
  EpochLimits epochs;
  SnapshotOptions snapshot;
  ClockOptions clock;
};

}  // namespace nissa::ledger
