#include "ledger/tombstones.hpp"

#include <algorithm>
#include <string>

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
  if (!fresh) {
    by_seen_.erase({place->second.seen.running_ms, epoch});
    place->second = tombstone;
  }
  by_seen_.emplace(tombstone.seen.running_ms, epoch);
}

void Tombstones::sweep(std::size_t most, std::vector<Epoch>& gone) {
  for (std::size_t i = 0; i < most && !by_seen_.empty() && by_seen_.begin()->first < oldest_alive_; ++i) {
    const auto dead = by_epoch_.find(by_seen_.begin()->second);
    if (!dead->second.queued) gone.push_back(dead->first);
    by_epoch_.erase(dead);
    by_seen_.erase(by_seen_.begin());
  }
}

RunningMs Tombstones::floor_with(std::span<const EndedEpoch> ended, RunningMs floor) const {
  if (by_epoch_.size() + ended.size() <= limit_) return floor;
  const RunningMs oldest = std::max(oldest_alive_, floor);
  std::vector<RunningMs> fresh;
  for (const EndedEpoch& one : ended)
    if (one.seen.running_ms >= oldest) fresh.push_back(one.seen.running_ms);
  std::sort(fresh.begin(), fresh.end());
  auto old = by_seen_.lower_bound({oldest, 0});
  const auto dead = static_cast<std::size_t>(std::distance(by_seen_.begin(), old));
  std::size_t alive = fresh.size() + by_seen_.size() - dead;
  auto next = fresh.begin();
  for (; alive > limit_; --alive) {
    const bool take_old = old != by_seen_.end() && (next == fresh.end() || old->first <= *next);
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
  for (auto one = by_seen_.lower_bound({oldest_alive_, 0}); one != by_seen_.end(); ++one) living.push_back(one->second);
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
