#include "fold/match_memo.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace nissa::fold {
namespace {

constexpr std::size_t first_slots = 8;

std::size_t room_of(std::size_t size) {
  constexpr std::size_t align = alignof(MatchMemo::Entry);
  return (sizeof(MatchMemo::Entry) + size + align - 1) / align * align;
}

}  // namespace

void MatchMemo::Part::begin() {
  slots_ = std::make_unique<Slot[]>(first_slots);
  mask_ = first_slots - 1;
  used_ = 0;
}

const MatchMemo::Entry* MatchMemo::Part::put(std::uint64_t hash, const Entry* entry) {
  std::size_t i = hash & mask_;
  while (slots_[i].entry != nullptr && slots_[i].hash != hash) i = (i + 1) & mask_;
  const Entry* replaced = std::exchange(slots_[i].entry, entry);
  slots_[i].hash = hash;
  if (replaced == nullptr) ++used_;
  return replaced;
}

void MatchMemo::Part::erase(std::uint64_t hash, const Entry* entry) {
  std::size_t hole = hash & mask_;
  while (slots_[hole].entry != entry) {
    if (slots_[hole].entry == nullptr) return;  // replaced by another of the same hash
    hole = (hole + 1) & mask_;
  }
  --used_;
  // Those behind that may stand in the hole move up, so that no search ends too early.
  for (std::size_t i = (hole + 1) & mask_; slots_[i].entry != nullptr; i = (i + 1) & mask_) {
    const std::size_t home = slots_[i].hash & mask_;
    if (((i - home) & mask_) >= ((i - hole) & mask_)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole].entry = nullptr;
}

void MatchMemo::Part::grow() {
  const std::unique_ptr<Slot[]> old = std::move(slots_);
  const std::size_t count = mask_ + 1;
  slots_ = std::make_unique<Slot[]>(count * 2);
  mask_ = count * 2 - 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (old[i].entry == nullptr) continue;
    std::size_t to = old[i].hash & mask_;
    while (slots_[to].entry != nullptr) to = (to + 1) & mask_;
    slots_[to] = old[i];
  }
}

MatchMemo::MatchMemo(std::size_t most_entries, std::size_t most_bytes, HashSeed seed)
    : most_entries_(most_entries), most_bytes_(most_bytes), hash_(seed) {
  clear();
}

void MatchMemo::clear() {
  index_bytes_ = 0;
  for (Part& part : parts_) {
    part.begin();
    index_bytes_ += part.bytes();
  }
  segments_.clear();
  spare_.clear();
  entries_ = 0;
  ++evictions_;
}

bool MatchMemo::over_budget() const {
  return entries_ >= most_entries_ || (segments_.size() + 1) * segment_bytes + index_bytes_ > most_bytes_;
}

// The index has grown into the room of the segments.
void MatchMemo::make_room_for_index() {
  while (bytes() > most_bytes_) {
    if (!spare_.empty()) {
      spare_.pop_back();
    } else if (segments_.size() > 1) {
      evict_oldest();
    } else {
      return;
    }
  }
}

// Within either bound at all times, but for the one segment that is being filled.
MatchMemo::Segment& MatchMemo::segment_for(std::size_t size) {
  while (entries_ >= most_entries_ && !segments_.empty()) evict_oldest();
  if (!segments_.empty() && segments_.back().used + size <= segment_bytes) return segments_.back();
  while (over_budget() && !segments_.empty()) evict_oldest();
  Segment segment;
  if (spare_.empty()) {
    segment.bytes = std::make_unique_for_overwrite<Byte[]>(segment_bytes);
  } else {
    segment.bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  return segments_.emplace_back(std::move(segment));
}

void MatchMemo::remember(std::uint64_t hash, ByteView identity, Known known) {
  if (identity.size() > longest_remembered) return;
  const std::size_t size = room_of(identity.size());
  Segment& segment = segment_for(size);
  Byte* const at = segment.bytes.get() + segment.used;
  const Entry* entry = new (at) Entry{known, static_cast<std::uint32_t>(identity.size())};
  if (!identity.empty()) std::memcpy(at + sizeof(Entry), identity.data(), identity.size());
  segment.used += static_cast<std::uint32_t>(size);
  ++segment.entries;

  const std::size_t number = hash >> part_shift;
  Part& part = parts_[number];
  // Parts are filled alike; full at 50 to 75 %, each at its own filling, they do not grow all at once.
  if (part.is_full(50 + number % 26)) {
    index_bytes_ -= part.bytes();
    part.grow();
    index_bytes_ += part.bytes();
    make_room_for_index();
  }
  if (part.put(hash, entry) == nullptr) ++entries_;
}

void MatchMemo::evict_oldest() {
  Segment segment = std::move(segments_.front());
  segments_.pop_front();
  const Byte* at = segment.bytes.get();
  for (std::uint32_t i = 0; i < segment.entries; ++i) {
    const Entry* entry = reinterpret_cast<const Entry*>(at);
    const std::uint64_t hash = hash_({entry->bytes(), entry->size});
    Part& part = parts_[hash >> part_shift];
    if (part.find(hash) == entry) {
      part.erase(hash, entry);
      --entries_;
    }
    at += room_of(entry->size);
  }
  spare_.push_back(std::move(segment.bytes));
  ++evictions_;
}

}  // namespace nissa::fold
