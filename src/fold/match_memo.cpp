#include "fold/match_memo.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace nissa::fold {
namespace {

constexpr std::size_t first_slots = 8;  // a cache line

std::size_t room_of(std::size_t size) {
  constexpr std::size_t unit = MatchMemo::place_bytes;
  return (sizeof(MatchMemo::Entry) + size + unit - 1) / unit * unit;
}

}  // namespace

void MatchMemo::Part::begin() {
  slots_ = std::make_unique<Slot[]>(first_slots);
  mask_ = first_slots - 1;
  used_ = 0;
}

void MatchMemo::Part::clear() {
  std::fill_n(slots_.get(), mask_ + 1, Slot{});
  used_ = 0;
}

MatchMemo::Place MatchMemo::Part::put(std::uint64_t hash, Place place) {
  const auto tag = static_cast<std::uint32_t>(hash);
  std::size_t i = tag & mask_;
  while (slots_[i].place != nowhere && slots_[i].tag != tag) i = (i + 1) & mask_;
  if (slots_[i].place == nowhere) ++used_;
  return std::exchange(slots_[i], {tag, place}).place;
}

void MatchMemo::Part::erase(std::uint64_t hash, Place place) {
  std::size_t hole = hash & mask_;
  while (slots_[hole].place != place) {
    if (slots_[hole].place == nowhere) return;  // replaced by another of the same tag
    hole = (hole + 1) & mask_;
  }
  --used_;
  // Those behind that may stand in the hole move up, so that no search ends too early.
  for (std::size_t i = (hole + 1) & mask_; slots_[i].place != nowhere; i = (i + 1) & mask_) {
    const std::size_t home = slots_[i].tag & mask_;
    if (((i - home) & mask_) >= ((i - hole) & mask_)) {
      slots_[hole] = slots_[i];
      hole = i;
    }
  }
  slots_[hole].place = nowhere;
}

void MatchMemo::Part::grow() {
  const std::size_t count = mask_ + 1;
  const std::unique_ptr<Slot[]> old = std::exchange(slots_, std::make_unique<Slot[]>(count * 2));
  mask_ = count * 2 - 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (old[i].place == nowhere) continue;
    std::size_t to = old[i].tag & mask_;
    while (slots_[to].place != nowhere) to = (to + 1) & mask_;
    slots_[to] = old[i];
  }
}

MatchMemo::MatchMemo(std::size_t most_entries, std::size_t most_bytes, HashSeed seed)
    : most_entries_(most_entries), most_bytes_(most_bytes), hash_(seed) {
  for (Part& part : parts_) {
    part.begin();
    index_bytes_ += part.bytes();
  }
  blocks_.emplace_back();  // number 0 is nobody's: so no place is nowhere
}

void MatchMemo::clear() {
  for (Part& part : parts_) part.clear();
  segments_.clear();
  blocks_.resize(1);
  spare_.clear();
  unused_.clear();
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
      blocks_[spare_.back()].reset();
      unused_.push_back(spare_.back());
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
  have_spare_block();
  Segment& segment = segments_.emplace_back();
  segment.number = spare_.back();
  spare_.pop_back();
  return segment;
}

// Each step leaves every number in its place, whichever finds no memory.
void MatchMemo::have_spare_block() {
  if (!spare_.empty()) return;
  if (unused_.empty()) {
    // Every number has a place in either list: to evict needs no memory.
    spare_.reserve(blocks_.size());
    unused_.reserve(blocks_.size());
    blocks_.emplace_back();
    unused_.push_back(static_cast<std::uint32_t>(blocks_.size() - 1));
  }
  const std::uint32_t number = unused_.back();
  blocks_[number] = std::make_unique_for_overwrite<Byte[]>(segment_bytes);
  unused_.pop_back();
  spare_.push_back(number);
}

void MatchMemo::remember(std::uint64_t hash, ByteView identity, Known known) {
  if (identity.size() > longest_remembered) return;
  const std::size_t size = room_of(identity.size());
  Segment& segment = segment_for(size);
  Byte* const at = blocks_[segment.number].get() + segment.used;
  const Place place = segment.number * segment_places + segment.used / place_bytes;
  new (at) Entry{known, static_cast<std::uint32_t>(identity.size())};
  if (!identity.empty()) std::memcpy(at + sizeof(Entry), identity.data(), identity.size());
  segment.used += static_cast<std::uint32_t>(size);
  ++segment.entries;

  const std::size_t number = hash >> part_shift;
  Part& part = parts_[number];
  // Parts are filled alike; full at 40 to 65 %, each at its own filling, they do not grow all at once.
  if (part.is_full(40 + number % 26)) {
    const std::size_t before = part.bytes();
    part.grow();
    index_bytes_ += part.bytes() - before;
    make_room_for_index();
  }
  if (part.put(hash, place) == nowhere) ++entries_;
}

void MatchMemo::evict_oldest() {
  const Segment segment = segments_.front();
  segments_.pop_front();
  Place place = segment.number * segment_places;
  for (std::uint32_t i = 0; i < segment.entries; ++i) {
    const Entry* entry = reinterpret_cast<const Entry*>(bytes_at(place));
    const std::uint64_t hash = hash_({entry->bytes(), entry->size});
    Part& part = parts_[hash >> part_shift];
    if (part.find(hash) == place) {
      part.erase(hash, place);
      --entries_;
    }
    place += static_cast<Place>(room_of(entry->size) / place_bytes);
  }
  spare_.push_back(segment.number);
  ++evictions_;
}

}  // namespace nissa::fold
