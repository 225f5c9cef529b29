#include "slo/block.hpp"

#include <algorithm>
#include <utility>

#include "base/violation.hpp"
#include "slo/block_codec.hpp"

namespace nissa::slo {
namespace {

// Beyond this distance of heads more rows would be moved than a rebuild reads.
constexpr Bucket longest_roll_buckets = hour_ms / bucket_ms;

std::int32_t period_in(std::size_t ring, Bucket bucket) { return bucket / ring_specs[ring].period_buckets(); }
// One past the last period that may hold a count.
std::int32_t end_period(std::size_t ring, Bucket head) { return period_in(ring, head + buckets_ahead) + 1; }

}  // namespace

Block::Block(UnixMs head_ms, Mode mode)
    : rings_{BucketRing(ring_specs[0]), BucketRing(ring_specs[1]), BucketRing(ring_specs[2]),
             BucketRing(ring_specs[3])} {
  set_head(head_ms);
  if (mode == Mode::live) return;
  loaded_ = std::make_unique<LoadedLsns>();
  for (std::size_t ring = 0; ring < ring_count; ++ring) loaded_->rows[ring].resize(rings_[ring].slots());
}

void Block::set_head(UnixMs head_ms) {
  head_ms_ = head_ms;
  head_ = bucket_of(head_ms);
  starts_ = window_starts(head_);
  target_ = Target{};
}

void Block::advance(UnixMs head_ms) {
  const Bucket head = bucket_of(head_ms);
  if (loaded_ != nullptr) {
    if (head == head_) {
      head_ms_ = head_ms;
    } else {
      set_head(head_ms);
    }
    return;
  }
  if (head_ms < head_ms_) {
    violation("slo", "ledger time never steps back");
    return;
  }
  if (head == head_) {
    head_ms_ = head_ms;
  } else if (head - head_ > longest_roll_buckets) {
    set_head(head_ms);
    rebuild_sums();
  } else {
    roll_to(head);
    set_head(head_ms);
  }
}

// In this order: what enters may leave again at once; what leaves window w enters w + 1 and may leave that too; only
// then rows are given back.
void Block::roll_to(Bucket head) {
  const WindowStarts next = window_starts(head);
  const Bucket last_entering = std::min(head, head_ + buckets_ahead);
  rings_[0].for_each(head_ + 1, last_entering + 1, [&](const Row& row) { sums_.add_row(0, row); });
  for (std::size_t w = 0; w < window_count; ++w) {
    const std::size_t ring = windows[w].ring;
    rings_[ring].for_each(period_in(ring, starts_[w]), period_in(ring, next[w]),
                          [&](const Row& row) { sums_.leave(w, row); });
  }
  for (std::size_t ring = 0; ring < ring_count; ++ring) {
    const std::size_t longest = longest_window_of_ring[ring];
    rings_[ring].release(period_in(ring, starts_[longest]), period_in(ring, next[longest]));
  }
}

template <std::size_t Ring>
void Block::aim_at_ring(Bucket bucket, std::uint64_t lsn) {
  if (bucket < ring_start(Ring)) return;
  constexpr std::int32_t buckets = ring_specs[Ring].period_buckets();
  const std::int32_t period = bucket / buckets;
  BucketRing& ring = rings_[Ring];
  if (loaded_ != nullptr && lsn <= loaded_->rows[Ring][ring.slot_of(period)]) return;
  Row* row = ring.claim(period);
  if (row == nullptr) {
    violation("slo", "a slot holds no newer period than the ring does");
    return;
  }
  row->set_changed_lsn(lsn);
  if (lsn != reserved_lsn_) row->forget_bound();
  target_.rows[target_.row_count++] = row;
}

void Block::aim_at(Bucket bucket, std::uint64_t lsn) {
  target_ = Target{bucket, lsn};
  target_.into_life = loaded_ == nullptr || lsn > loaded_->life;
  if (bucket > head_ + buckets_ahead) {
    violation("slo", "a count lies at most 6 buckets ahead of the head");
    return;
  }
  [&]<std::size_t... Ring>(std::index_sequence<Ring...>) {
    (aim_at_ring<Ring>(bucket, lsn), ...);
  }(std::make_index_sequence<ring_count>());
  if (loaded_ != nullptr || bucket > head_) return;
  target_.segment = 0;
  for (const Bucket start : starts_) target_.segment += bucket < start ? 1 : 0;
}

void Block::reserve(UnixMs head_ms, Bucket bucket, std::uint64_t most, std::uint64_t lsn) {
  reserved_lsn_ = lsn;
  const Bucket head = bucket_of(head_ms);
  if (bucket > head + buckets_ahead) return;
  const WindowStarts starts = window_starts(head);
  for (std::size_t ring = 0; ring < ring_count; ++ring)
    if (bucket >= starts[longest_window_of_ring[ring]]) rings_[ring].reserve(period_in(ring, bucket), most);
}

void Block::add(std::uint32_t lane, Bucket bucket, const Counts& counts, std::uint64_t lsn) {
  if (lane >= block_lanes || counts.good > counts.total) {
    violation("slo", "a count is for one of 256 lanes, and no more is good than there is");
    return;
  }
  if (counts.total == 0) return;
  if (bucket != target_.bucket || lsn != target_.lsn) aim_at(bucket, lsn);
  if (target_.into_life) life_.add(lane, counts, head_ms_, lsn);
  for (std::size_t i = 0; i < target_.row_count; ++i) target_.rows[i]->add(lane, counts);
  if (target_.segment < window_count) sums_.add(lane, target_.segment, counts);
}

void Block::rebuild_sums() {
  sums_.clear();
  for (std::size_t ring = 0; ring < ring_count; ++ring) {
    if (rings_[ring].release_outside(period_in(ring, ring_start(ring)), end_period(ring, head_)) > 0) {
      violation("slo", "no row lies further ahead of the head than counts may");
    }
  }
  // Ring 0 tells exactly which buckets the head has reached.
  std::int32_t end = head_ + 1;
  for (std::size_t w = 0; w <= longest_window_of_ring[0]; ++w) {
    rings_[0].for_each(starts_[w], end, [&](const Row& row) { sums_.add_row(w, row); });
    end = starts_[w];
  }
  // A coarser ring cuts neither at the head nor where the shorter windows start: its first window is summed whole, less
  // what lies ahead of the head, less what the shorter windows hold.
  for (std::size_t ring = 1; ring < ring_count; ++ring) {
    std::size_t w = longest_window_of_ring[ring - 1] + 1;
    rings_[ring].for_each(period_in(ring, starts_[w]), end_period(ring, head_),
                          [&](const Row& row) { sums_.add_row(w, row); });
    rings_[0].for_each(head_ + 1, head_ + buckets_ahead + 1, [&](const Row& row) { sums_.subtract_row(w, row); });
    sums_.subtract_shorter(w);
    for (++w; w <= longest_window_of_ring[ring]; ++w) {
      rings_[ring].for_each(period_in(ring, starts_[w]), period_in(ring, starts_[w - 1]),
                            [&](const Row& row) { sums_.add_row(w, row); });
    }
  }
}

Counts Block::sum_since(std::uint32_t lane, UnixMs from_ms) const {
  const Bucket from = std::max(bucket_of(from_ms), ring_start(ring_count - 1));
  std::size_t ring = 0;
  while (from < ring_start(ring)) ++ring;
  Counts sum;
  rings_[ring].for_each(period_in(ring, from), end_period(ring, head_), [&](const Row& row) { sum += row.at(lane); });
  rings_[0].for_each(std::max(head_ + 1, from), head_ + buckets_ahead + 1,
                     [&](const Row& row) { sum -= row.at(lane); });
  return sum;
}

}  // namespace nissa::slo
