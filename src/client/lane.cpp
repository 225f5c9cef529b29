#include "client/lane.hpp"

#include <chrono>
#include <utility>

namespace nissa::client {
namespace {

// What a batch costs beside its bytes: its entries here and in the stream, and the allocator's. So that the bound holds
// for small batches, too.
constexpr std::uint64_t batch_overhead = 256;

}  // namespace

Lane::Put Lane::put(const wire::EventHead& head, ByteView identity, BootNs now) {
  const std::size_t size = wire::event_size(head, identity);
  Lock lock(mutex_);
  if (closed_) return Put::closed;
  // One event alone always finds room, else a bound below its size would refuse it for ever.
  if (stats_.held_bytes > 0 && stats_.held_bytes + size > options_.max_held_bytes) return Put::full;
  stats_.held_bytes += size;
  ++stats_.held_events;
  ++stats_.accepted;
  return batcher_.add(head, identity, now) == Batcher::Added::grew ? Put::kept : Put::kept_and_wake;
}

void Lane::note_dropped(std::uint64_t events) {
  Lock lock(mutex_);
  newly_dropped_ += events;
  stats_.dropped += events;
}

void Lane::close() {
  Lock lock(mutex_);
  closed_ = true;
  batcher_.close_open();
}

std::uint64_t Lane::mark() {
  Lock lock(mutex_);
  batcher_.close_open();
  return batcher_.first_open();
}

bool Lane::all_settled_below(std::uint64_t mark) const {
  return batcher_.first_untaken() >= mark && (unsettled_.empty() || unsettled_.begin()->first >= mark);
}

bool Lane::wait_settled(std::uint64_t mark, std::uint32_t within_ms) {
  Lock lock(mutex_);
  return settled_.wait_for(mutex_, std::chrono::milliseconds(within_ms),
                           [this, mark]() NISSA_NO_THREAD_SAFETY_ANALYSIS { return all_settled_below(mark); });
}

std::optional<BootNs> Lane::fill(Stream& stream, BootNs now) {
  std::vector<Settlement> unsendable;
  const auto due = hand_over(stream, now, unsendable);
  for (const Settlement& one : unsendable) settled(one, now);
  return due;
}

std::optional<BootNs> Lane::hand_over(Stream& stream, BootNs now, std::vector<Settlement>& unsendable) {
  Lock lock(mutex_);
  stream.note_dropped(std::exchange(newly_dropped_, 0));
  stats_.batches_resent = stream.counts().resendings;
  stats_.connections_lost = stream.counts().connections_lost;
  // While a batch waits to be sent, the open one may as well go on filling: fewer and fuller ones when it can be.
  if (!stream.queued()) batcher_.close_due(now);
  while (std::optional<Body> body = batcher_.take()) {
    unsettled_.emplace(body->tag, Held{body->size, body->event_count});
    stats_.held_bytes += batch_overhead;
    const Settlement refused{body->tag, Fate::refused, Reason::frame_too_large, body->event_count};
    // The stream has no bound of its own here: held_bytes is. What it does not take, no server would.
    if (stream.enqueue(std::move(*body)) == Taken::accepted) continue;
    unsendable.push_back(refused);
  }
  return stream.queued() ? std::nullopt : batcher_.due();
}

void Lane::settled(const Settlement& settlement, BootNs) {
  const bool lost = settlement.fate != Fate::counted && settlement.fate != Fate::duplicate;
  // Told first: who waits for the settlement must find that it was. Without the lock, for the callback may send.
  if (lost && options_.on_loss) options_.on_loss(settlement);
  Lock lock(mutex_);
  account(settlement);
}

void Lane::account(const Settlement& settlement) {
  const auto held = unsettled_.find(settlement.tag);
  if (held == unsettled_.end()) return;
  stats_.held_bytes -= held->second.bytes + batch_overhead;
  stats_.held_events -= held->second.events;
  unsettled_.erase(held);
  switch (settlement.fate) {
    case Fate::counted:
    case Fate::duplicate:
      ++stats_.batches_counted;
      stats_.counted += settlement.event_count;
      for (const std::uint32_t rejected : settlement.rejected) stats_.rejected += rejected;
      stats_.rejected += settlement.late;
      break;
    case Fate::refused:
      stats_.refused += settlement.event_count;
      break;
    case Fate::uncertain:
      stats_.uncertain += settlement.event_count;
      break;
    case Fate::abandoned:
      stats_.abandoned += settlement.event_count;
      break;
  }
  settled_.notify_all();
}

void Lane::link_changed(bool up, std::string_view why) {
  if (options_.on_link) options_.on_link(up, why);
}

LaneStats Lane::stats() const {
  Lock lock(mutex_);
  return stats_;
}

}  // namespace nissa::client
