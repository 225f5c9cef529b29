// The bytes of a block's objects in a snapshot. Sparse: lanes that are zero are skipped. Numbers are varints.
//   row:   period | lanes | lanes × (gap, total, bad)           gap: lanes skipped since the one before
//   life:  lanes | lanes × (gap, total, bad, born in ms)
// Whoever stores them adds key, lsn and checksum.
#pragma once
#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "slo/counts.hpp"
#include "slo/life_row.hpp"
#include "slo/row.hpp"
#include "slo/slo_id.hpp"

namespace nissa::slo {

void encode_row(const Row& row, Bytes& out);
void encode_life(const LifeRow& life, Bytes& out);

struct DecodedRow {
  std::int32_t period = 0;
  std::array<Counts, block_lanes> lanes{};
};
// Errors: cut off, too long, a lane beyond 255, a period that no ring has, more bad than total.
Result<DecodedRow> decode_row(ByteView value);
Result<std::array<Life, block_lanes>> decode_life(ByteView value);

}  // namespace nissa::slo
