#include "ledger/tombstones.hpp"

#include <algorithm>
#include <string>

#include "ledger/table_room.hpp"

namespace nissa::ledger {

const Tombstone* Tombstones::find(Epoch epoch) const {
  const auto found = by_epoch_.find(epoch);
  return found != by_epoch_.end() && found->second.seen.running_ms >= oldest_alive_ ? &found->second : nullptr;
}

Tombstone* Tombstones::find(Epoch epoch) {
  return const_cast<Tombstone*>(static_cast<const Tombstones*>(this)->find(epoch));
}

void Tombstones::put(Epoch epoch, const Tombstone& tombstone) {
  const auto [place, fresh] = by_epoch_.try_emplace(epoch, tombstone);
  if (fresh) return by_seen_.insert({tombstone.seen.running_ms, epoch});
  by_seen_.move({place->second.seen.running_ms, epoch}, {tombstone.seen.running_ms, epoch});
  place->second = tombstone;
}

void Tombstones::make_room(std::size_t more) {
  ledger::make_room(by_epoch_, more);
  by_seen_.make_room(more);
}

void Tombstones::sweep(std::size_t most, std::vector<Epoch>& gone) {
  const auto& in_order = by_seen_.all();
  for (std::size_t i = 0; i < most && !in_order.empty() && in_order.begin()->first < oldest_alive_; ++i) {
    const auto dead = by_epoch_.find(in_order.begin()->second);
    if (!dead->second.queued) gone.push_back(dead->first);
    by_epoch_.erase(dead);
    by_seen_.erase(in_order.begin());
  }
}

RunningMs Tombstones::floor_with(std::span<const EndedEpoch> ended, RunningMs floor) const {
  if (by_epoch_.size() + ended.size() <= limit_) return floor;
  const RunningMs oldest = std::max(oldest_alive_, floor);
  std::vector<RunningMs> fresh;
  for (const EndedEpoch& one : ended)
    if (one.seen.running_ms >= oldest) fresh.push_back(one.seen.running_ms);
  std::sort(fresh.begin(), fresh.end());
  const auto& in_order = by_seen_.all();
  auto old = in_order.lower_bound({oldest, 0});
  const auto dead = static_cast<std::size_t>(std::distance(in_order.begin(), old));
  std::size_t alive = fresh.size() + in_order.size() - dead;
  auto next = fresh.begin();
  for (; alive > limit_; --alive) {
    const bool take_old = old != in_order.end() && (next == fresh.end() || old->first <= *next);
    floor = (take_old ? old->first : *next) + 1;
    if (take_old) {
      ++old;
    } else {
      ++next;
    }
  }
  return floor;
}

std::vector<Epoch> Tombstones::epochs() const {
  std::vector<Epoch> living;
  const auto& in_order = by_seen_.all();
  for (auto one = in_order.lower_bound({oldest_alive_, 0}); one != in_order.end(); ++one) living.push_back(one->second);
  std::sort(living.begin(), living.end());
  return living;
}

void encode(const Tombstone& tombstone, Bytes& out) {
  ByteWriter writer(out);
  writer.fixed(tombstone.seen.state_id);
  writer.varint(tombstone.seen.running_ms);
}

Result<Tombstone> decode_tombstone(ByteView bytes) {
  ByteReader reader(bytes);
  Tombstone tombstone;
  tombstone.seen.state_id = reader.fixed<std::uint64_t>();
  tombstone.seen.running_ms = reader.varint();
  if (reader.failed() || !reader.at_end()) return failure("a tombstone's row is damaged");
  return tombstone;
}

}  // namespace nissa::ledger
