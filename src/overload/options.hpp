// Who gets in. What an operator may set of it has a row in docs/configuration.md; the rest are constants.
// All bounds are in bytes of read buffers, before the bytes are read.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/priority.hpp"
#include "base/result.hpp"
#include "base/time_types.hpp"

namespace nissa::overload {

// One number a class, in the order of index_of(Priority): low, normal, high, critical.
template <class T>
using PerClass = std::array<T, priority_count>;

struct Options {
  // The pool of read buffers for all classes, and a reserve beside it for CRITICAL alone.
  std::size_t ingest_bytes = std::size_t{64} << 20;
  std::size_t critical_bytes = std::size_t{8} << 20;
  // How much of ingest_bytes a class may hold *together with all classes below it*. So what lies above a class's line
  // is always free for the classes above it, whatever the lower ones hold.
  PerClass<std::uint32_t> share_percent{50, 80, 95, 100};
  // How much one sender may hold of either pool; never less than one batch.
  std::uint32_t sender_percent = 25;
  // A request for bytes that waited longer is refused with no_room. CRITICAL waits without end.
  std::int64_t byte_wait_ns = 5 * ns_per_s;

  // Least share of the folding a class gets while it waits, in percent of the bytes folded; the rest goes to the
  // highest class that waits.
  PerClass<std::uint32_t> floor_percent{5, 10, 20, 0};
  // Folds granted by one task behind the ready queue, and what a byte of a batch costs to fold (an estimate: 45 ns for
  // an event of 110 bytes).
  std::int64_t slice_ns = 1'000'000;
  double fold_ns_per_byte = 0.4;

  // A class is refused when its line was never empty for standing_ns and the least wait in that time exceeded its
  // target. 0: never refused.
  std::int64_t standing_ns = 500'000'000;
  PerClass<std::int64_t> target_wait_ns{25'000'000, 100'000'000, 250'000'000, 0};
  // retry_after: backlog by drain rate, within these, then times a random 1 to 2.
  std::uint32_t least_retry_ms = 100;
  std::uint32_t most_retry_ms = 60'000;

  // Says which option cannot be, and why. `largest_batch`: max_frame and what it may inflate to, in bytes: every class
  // must be able to hold one, else it would wait for ever.
  Status check(std::size_t largest_batch) const;

  // Of either pool.
  std::size_t sender_bytes(std::size_t pool) const { return pool * sender_percent / 100; }
  std::size_t share_bytes(Priority priority) const { return ingest_bytes / 100 * share_percent[index_of(priority)]; }
};

}  // namespace nissa::overload
