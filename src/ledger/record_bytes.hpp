// The numbers that a record's writer and reader share (docs/journal-format.md, "The record").
#pragma once
#include <cstdint>

#include "base/time_types.hpp"

namespace nissa::ledger {

inline constexpr std::uint8_t record_version = 1;

// Each at most once, ascending, never empty; `end` closes the record.
enum class Section : std::uint8_t {
  end = 0,
  new_epochs = 1,
  batches = 2,
  ended = 3,
  forgotten = 4,
  counts = 5,
  defines = 6,
  retired = 7,
};

// In the byte of a batch's priority: its epoch is that of the batch before.
inline constexpr std::uint8_t same_epoch = 0x80;

// Beyond the year 2310 buckets do not fit into a cell (slo/cell.hpp).
inline constexpr Bucket highest_bucket = (1 << 30) - 1;
inline constexpr UnixMs highest_ledger_ms = start_of(highest_bucket);
// In one record and bucket; so that sums of some thousand of them do not overflow.
inline constexpr std::uint64_t highest_count = std::uint64_t{1} << 48;
inline constexpr std::uint32_t highest_slo = (1u << 24) - 1;

}  // namespace nissa::ledger
