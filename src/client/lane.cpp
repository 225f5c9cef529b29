#include "client/lane.hpp"

#include <chrono>
#include <utility>

#include "client/body_split.hpp"

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
  batcher_.limit(stream.max_events(), stream.max_body_bytes());
  for (Body& body : stream.take_back_too_large()) {
    --unsettled_.at(body.tag).parts;
    enqueue(stream, std::move(body), unsendable);
  }
  // While a batch waits to be sent, the open one may as well go on filling: fewer and fuller ones when it can be.
  if (!stream.queued()) batcher_.close_due(now);
  while (std::optional<Body> body = batcher_.take()) {
    unsettled_.emplace(body->tag, Held{body->size, 0});
    stats_.held_bytes += batch_overhead;
    enqueue(stream, std::move(*body), unsendable);
  }
  return stream.queued() ? std::nullopt : batcher_.due();
}

// What the server does not take whole goes in parts, which have the tag in common.
void Lane::enqueue(Stream& stream, Body body, std::vector<Settlement>& unsendable) {
  std::vector<Body> parts;
  if (body.event_count > stream.max_events() || body.size > stream.max_body_bytes())
    parts = split_body(body, stream.max_events(), stream.max_body_bytes());
  else
    parts.push_back(std::move(body));
  for (Body& part : parts) {
    ++unsettled_.at(part.tag).parts;
    const Settlement refused{part.tag, Fate::refused, Reason::frame_too_large, part.event_count};
    // The stream has no bound of its own here: held_bytes is. What it does not take, no server would.
    if (stream.enqueue(std::move(part)) != Taken::accepted) unsendable.push_back(refused);
  }
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
  stats_.held_events -= settlement.event_count;
  if (--held->second.parts == 0) {
    stats_.held_bytes -= held->second.bytes + batch_overhead;
    unsettled_.erase(held);
  }
  switch (settlement.fate) {
    case Fate::counted:
    case Fate::duplicate:
      ++stats_.batches_counted;
      stats_.counted += settlement.event_count;
      for (std::size_t i = 0; i < event_fault_count; ++i) stats_.rejected[i] += settlement.rejected[i];
      stats_.rejected[static_cast<std::size_t>(EventFault::too_old) - 1] += settlement.late;
      stats_.unmatched += settlement.unmatched;
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

void Lane::noticed(const Notice& notice) {
  if (options_.on_notice) options_.on_notice(notice);
}

LaneStats Lane::stats() const {
  Lock lock(mutex_);
  return stats_;
}

}  // namespace nissa::client
