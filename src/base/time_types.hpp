// Units of time, last in the names of all that bear them. Plain integers: they are stored, hashed and sent.
#pragma once
#include <cstdint>

namespace nissa {

using UnixNs = std::int64_t;      // wall clock, nanoseconds since 1970
using UnixMs = std::int64_t;      // wall clock or ledger time, milliseconds since 1970
using BootNs = std::int64_t;      // monotonic, nanoseconds since boot, suspended time included
using RunningMs = std::uint64_t;  // a state's running time: the sum of the time in which it was measured
using Bucket = std::int32_t;      // absolute 10 s bucket: floor(unix ms / 10 000); enough until the year 8774

inline constexpr std::int64_t bucket_ms = 10'000;
inline constexpr std::int64_t ns_per_ms = 1'000'000;
inline constexpr std::int64_t ns_per_s = 1'000'000'000;

// Rounds down, also for times before 1970.
constexpr Bucket bucket_of(UnixMs ms) {
  return static_cast<Bucket>(ms >= 0 ? ms / bucket_ms : -((-ms + bucket_ms - 1) / bucket_ms));
}
constexpr UnixMs start_of(Bucket bucket) { return static_cast<UnixMs>(bucket) * bucket_ms; }

}  // namespace nissa
