#include "ledger/group_counts.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace nissa::ledger {
namespace {

// Far enough ahead to hide a miss, near enough not to be evicted again.
constexpr std::size_t prefetch_ahead = 8;
// A pass of the radix sort. One is enough for three hours of disorder.
constexpr unsigned digit_bits = 10;

}  // namespace

void GroupCounts::add(std::span<const slo::Cell> cells) {
  for (std::size_t i = 0; i < std::min(prefetch_ahead, cells.size()); ++i) cells_.prefetch(cells[i].key);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i + prefetch_ahead < cells.size()) cells_.prefetch(cells[i + prefetch_ahead].key);
    if (slo::set_of(cells[i].key) != slo::empty_match_set) cells_.at(cells[i].key) += cells[i].count;
  }
}

// Without it a group whose counts found no memory would be written with its keys and without them.
class GroupCounts::Undo {
 public:
  explicit Undo(GroupCounts& counts) : counts_(&counts) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    if (counts_ != nullptr) counts_->put_back();
  }
  void not_needed() { counts_ = nullptr; }

 private:
  GroupCounts* counts_;
};

std::vector<BucketCount> GroupCounts::expand(const slo::MatchSets& sets) {
  Undo undo(*this);
  take_cells();
  sort_by_bucket();
  for (std::size_t i = 0; i < items_.size(); ++i) {
    sum(sets.at(slo::set_of(items_[i].key)), items_[i]);
    const Bucket bucket = slo::bucket_of_cell(items_[i].key);
    if (i + 1 == items_.size() || slo::bucket_of_cell(items_[i + 1].key) != bucket) end_bucket(bucket);
  }
  std::vector<BucketCount> counts = by_slo();
  undo.not_needed();
  return counts;
}

// The table has kept its memory.
void GroupCounts::put_back() {
  for (const Item& item : items_) cells_.at(item.key) += item.events;
  items_.clear();
  for (const slo::SloId slo : in_bucket_) sums_[slo] = {};
  in_bucket_.clear();
  by_bucket_.clear();
  std::ranges::fill(places_, 0);
  std::ranges::fill(touched_, 0);
}

void GroupCounts::take_cells() {
  items_.clear();
  items_.reserve(cells_.size());
  cells_.take_all([this](std::uint64_t key, std::uint64_t events) {
    if (events != 0) items_.push_back({key, events});
  });
}

// Least significant digit first, over the distance from the earliest bucket.
void GroupCounts::sort_by_bucket() {
  if (items_.empty()) return;
  const auto bucket = [](const Item& item) { return static_cast<std::uint32_t>(slo::bucket_of_cell(item.key)); };
  const auto [first, last] = std::ranges::minmax(items_, {}, bucket);
  const std::uint32_t least = bucket(first);
  const std::uint32_t range = bucket(last) - least;
  for (unsigned shift = 0; shift < 32 && range >> shift != 0; shift += digit_bits) {
    const auto digit = [&](const Item& item) { return (bucket(item) - least) >> shift & ((1u << digit_bits) - 1); };
    std::array<std::uint32_t, 1u << digit_bits> place{};
    for (const Item& item : items_) ++place[digit(item)];
    std::uint32_t before = 0;
    for (std::uint32_t& one : place) before += std::exchange(one, before);
    spare_.resize(items_.size());
    for (const Item& item : items_) spare_[place[digit(item)]++] = item;
    items_.swap(spare_);
  }
}

void GroupCounts::sum(const slo::MatchSet& set, const Item& item) {
  const std::uint32_t event_class = slo::class_of(item.key);
  const std::uint64_t good = set.good_members(event_class);
  const std::span<const slo::SloId> members = set.members();
  if (!members.empty() && members.back() >= sums_.size()) {  // ascending: the last is the highest
    touched_.resize(members.back() / 64 + 1);
    places_.resize(members.back() + 1);
    sums_.resize(members.back() + 1);  // last: by its size it is known what is there
  }
  for (std::uint64_t left = set.counted_members(event_class); left != 0; left &= left - 1) {
    const auto member = static_cast<unsigned>(std::countr_zero(left));
    slo::Counts& counts = sums_[members[member]];
    if (counts.total == 0) in_bucket_.push_back(members[member]);
    counts.total += item.events;
    counts.good += (good >> member & 1) != 0 ? item.events : 0;
  }
}

void GroupCounts::end_bucket(Bucket bucket) {
  for (const slo::SloId slo : in_bucket_) {
    slo::Counts& counts = sums_[slo];
    by_bucket_.push_back({.slo = slo, .bucket = bucket, .good = counts.good, .total = counts.total});
    counts = {};
    ++places_[slo];
    touched_[slo / 64] |= 1ULL << (slo % 64);
  }
  in_bucket_.clear();
}

std::vector<BucketCount> GroupCounts::by_slo() {
  std::vector<BucketCount> counts(by_bucket_.size());
  std::uint32_t before = 0;
  for (std::size_t word = 0; word < touched_.size(); ++word)
    for (std::uint64_t left = touched_[word]; left != 0; left &= left - 1)
      before += std::exchange(places_[word * 64 + static_cast<unsigned>(std::countr_zero(left))], before);
  for (const BucketCount& one : by_bucket_) counts[places_[one.slo]++] = one;
  for (const BucketCount& one : by_bucket_) places_[one.slo] = 0;
  std::ranges::fill(touched_, 0);
  by_bucket_.clear();
  return counts;
}

std::size_t GroupCounts::bytes() const {
  return cells_.bytes() + (items_.capacity() + spare_.capacity()) * sizeof(Item) +
         sums_.capacity() * sizeof(slo::Counts) + by_bucket_.capacity() * sizeof(BucketCount) +
         (in_bucket_.capacity() + places_.capacity()) * sizeof(std::uint32_t) +
         touched_.capacity() * sizeof(std::uint64_t);
}

}  // namespace nissa::ledger
