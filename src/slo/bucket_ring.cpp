#include "slo/bucket_ring.hpp"

namespace nissa::slo {

std::size_t BucketRing::release_outside(std::int32_t from, std::int32_t to) {
  std::size_t beyond = 0;
  for (Row& row : rows_) {
    if (row.empty() || (from <= row.period() && row.period() < to)) continue;
    beyond += row.period() >= to ? 1 : 0;
    row.release();
  }
  return beyond;
}

void BucketRing::release(std::int32_t from, std::int32_t to) {
  for (std::int32_t period = from; period < to; ++period) {
    Row& row = rows_[slot_of(period)];
    if (!row.empty() && row.period() == period) row.release();
  }
}

std::size_t BucketRing::memory_bytes() const {
  std::size_t bytes = rows_.capacity() * sizeof(Row);
  for (const Row& row : rows_) bytes += row.memory_bytes();
  return bytes;
}

}  // namespace nissa::slo
