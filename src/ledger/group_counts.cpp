#include "ledger/group_counts.hpp"

#include <algorithm>
#include <bit>

namespace nissa::ledger {
namespace {

// Far enough ahead to hide a miss, near enough not to be evicted again.
constexpr std::size_t prefetch_ahead = 8;

// Never 0: a bucket fits into 30 bits (slo/cell.hpp), so bit 31 is free.
std::uint64_t place_key(slo::SloId slo, Bucket bucket) {
  return static_cast<std::uint64_t>(slo) << 32 | static_cast<std::uint32_t>(bucket) | 1u << 31;
}

}  // namespace

void GroupCounts::add(std::span<const slo::Cell> cells) {
  for (std::size_t i = 0; i < std::min(prefetch_ahead, cells.size()); ++i) cells_.prefetch(cells[i].key);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i + prefetch_ahead < cells.size()) cells_.prefetch(cells[i + prefetch_ahead].key);
    if (slo::set_of(cells[i].key) != slo::empty_match_set) cells_.at(cells[i].key) += cells[i].count;
  }
}

std::vector<BucketCount> GroupCounts::expand(const slo::MatchSets& sets) {
  cells_.for_each([&](std::uint64_t key, std::uint64_t events) { expand_cell(sets, key, events); });
  cells_.clear();
  return by_slo();
}

void GroupCounts::expand_cell(const slo::MatchSets& sets, std::uint64_t key, std::uint64_t events) {
  const slo::MatchSet& set = sets.at(slo::set_of(key));
  const std::uint32_t event_class = slo::class_of(key);
  const Bucket bucket = slo::bucket_of_cell(key);
  const std::uint64_t good = set.good_members(event_class);
  for (std::uint64_t left = set.counted_members(event_class); left != 0; left &= left - 1) {
    const auto member = static_cast<unsigned>(std::countr_zero(left));
    BucketCount& count = count_of(set.members()[member], bucket);
    count.total += events;
    count.good += (good >> member & 1) != 0 ? events : 0;
  }
}

BucketCount& GroupCounts::count_of(slo::SloId slo, Bucket bucket) {
  if (slo >= heads_.size()) {
    heads_.resize(slo + 1);
    touched_.resize(slo / 64 + 1);
  }
  std::uint32_t& head = heads_[slo];
  // Nearly all events of a group fall into one bucket: the one met last.
  if (head != 0 && links_[head - 1].count.bucket == bucket) return links_[head - 1].count;
  std::uint64_t& place = places_.at(place_key(slo, bucket));
  if (place == 0) {
    links_.push_back({.count = {.slo = slo, .bucket = bucket}, .next = head});
    place = links_.size();
    head = static_cast<std::uint32_t>(place);
    touched_[slo / 64] |= 1ULL << (slo % 64);
  }
  return links_[place - 1].count;
}

std::vector<BucketCount> GroupCounts::by_slo() {
  std::vector<BucketCount> counts;
  counts.reserve(links_.size());
  for (std::size_t word = 0; word < touched_.size(); ++word) {
    for (std::uint64_t left = touched_[word]; left != 0; left &= left - 1) {
      const std::size_t slo = word * 64 + static_cast<unsigned>(std::countr_zero(left));
      const auto first = static_cast<std::ptrdiff_t>(counts.size());
      for (std::uint32_t at = heads_[slo]; at != 0; at = links_[at - 1].next) counts.push_back(links_[at - 1].count);
      if (links_[heads_[slo] - 1].next != 0)
        std::ranges::sort(counts.begin() + first, counts.end(), {}, &BucketCount::bucket);
      heads_[slo] = 0;
    }
    touched_[word] = 0;
  }
  links_.clear();
  places_.clear();
  return counts;
}

std::size_t GroupCounts::bytes() const {
  return cells_.bytes() + places_.bytes() + links_.capacity() * sizeof(Link) +
         heads_.capacity() * sizeof(std::uint32_t) + touched_.capacity() * sizeof(std::uint64_t);
}

}  // namespace nissa::ledger
