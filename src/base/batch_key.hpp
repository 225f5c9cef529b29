// What identifies a batch for ever: the agent's epoch, the stream within it, the number within the stream.
#pragma once
#include <compare>
#include <cstdint>

#include "base/priority.hpp"
#include "base/time_types.hpp"

namespace nissa {

using Epoch = std::uint64_t;     // random, never 0; an identity, not an order
using Sequence = std::uint64_t;  // from 1

struct BatchKey {
  Epoch epoch = 0;
  Priority priority = Priority::normal;
  Sequence sequence = 0;
  bool is_none() const { return epoch == 0; }  // of a batch without one the priority is known all the same
  auto operator<=>(const BatchKey&) const = default;
};

// What an agent knew of the state when its epoch began: whose state, and how long it had run.
struct EpochSeen {
  std::uint64_t state_id = 0;
  RunningMs running_ms = 0;
  auto operator<=>(const EpochSeen&) const = default;
};

// Tells two bodies under one key apart: length and CRC32C of the body as sent (inflated).
struct Fingerprint {
  std::uint32_t length = 0;
  std::uint32_t crc32c = 0;
  auto operator<=>(const Fingerprint&) const = default;
};

}  // namespace nissa
