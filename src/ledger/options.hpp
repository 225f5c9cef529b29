// What an operator may set about the ledger. docs/configuration.md has a row for each.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/time_types.hpp"

namespace nissa::ledger {

struct EpochLimits {
  std::size_t bytes = 64u << 20;           // all epochs and their windows
  unsigned principal_percent = 10;         // of it, one principal's most
  std::size_t tombstone_bytes = 8u << 20;  // beside it
};

struct CommitOptions {
  std::int64_t spacing_ns = 5 * ns_per_ms;  // from the end of a commit to the next, unless nothing came for longer
  std::size_t group_bytes = 4u << 20;       // of the open group and who waits; beyond, sessions wait
  std::int64_t slow_after_ns = 2 * ns_per_s;
  // Told with refusals; the one who sends adds jitter.
  std::uint32_t retry_soon_ms = 200;      // what a commit will settle
  std::uint32_t retry_later_ms = 10'000;  // what needs an epoch to be forgotten or a disk to be mended
};

}  // namespace nissa::ledger
