// Where the fold counts an event: one cell for (which SLOs it belongs to, how it ended for them, when). One add an
// event, however many SLOs it belongs to; a cell is expanded to SLOs only when its group closes.
#pragma once
#include <cstdint>

#include "base/time_types.hpp"

namespace nissa::slo {

using MatchSetId = std::uint32_t;
inline constexpr MatchSetId empty_match_set = 0;
// No more room for sets: the caller refuses what it cannot count.
inline constexpr MatchSetId no_match_set = ~MatchSetId{0};

inline constexpr unsigned cell_set_bits = 24;
inline constexpr unsigned cell_class_bits = 10;
inline constexpr unsigned cell_bucket_bits = 30;  // 10 s buckets from 1970 to the year 2310

struct Cell {
  std::uint64_t key;  // set | class | bucket, from the highest bit down: sorted cells of a set lie together
  std::uint32_t count;
};

// All three within their bits: the caller has checked the event's time.
constexpr std::uint64_t cell_key(MatchSetId set, std::uint32_t event_class, Bucket bucket) {
  return (static_cast<std::uint64_t>(set) << (cell_class_bits + cell_bucket_bits)) |
         (static_cast<std::uint64_t>(event_class) << cell_bucket_bits) | static_cast<std::uint32_t>(bucket);
}
constexpr MatchSetId set_of(std::uint64_t key) {
  return static_cast<MatchSetId>(key >> (cell_class_bits + cell_bucket_bits));
}
constexpr std::uint32_t class_of(std::uint64_t key) {
  return static_cast<std::uint32_t>(key >> cell_bucket_bits) & ((1u << cell_class_bits) - 1);
}
constexpr Bucket bucket_of_cell(std::uint64_t key) { return static_cast<Bucket>(key & ((1u << cell_bucket_bits) - 1)); }

}  // namespace nissa::slo
