// Connecting and sending. What answers mean: stream_answers.cpp.
#include "client/stream.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "wire/frame.hpp"

namespace nissa::client {
namespace {

constexpr std::uint32_t widest_window = 256;  // the server remembers as many numbers above what is settled
constexpr std::size_t most_goodbyes = 64;     // a courtesy: beyond, the server forgets the epochs by itself
constexpr std::uint64_t overhead = wire::header_limit + wire::max_frame_prefix;

std::uint64_t cost_of(const Body& body) { return body.size + overhead; }

}  // namespace

Stream::Stream(StreamOptions options, RandomBits random)
    : options_(options),
      random_(std::move(random)),
      backoff_(options.backoff),
      max_frame_bytes_(options.max_frame_bytes),
      max_events_(options.max_events) {}

bool Stream::within_limits(const Body& body) const {
  return cost_of(body) <= max_frame_bytes_ && body.event_count <= max_events_;
}

std::uint32_t Stream::max_body_bytes() const {
  return max_frame_bytes_ > overhead ? max_frame_bytes_ - static_cast<std::uint32_t>(overhead) : 0;
}

bool Stream::resume(Stored batch) {
  if (batch.epoch == 0 || batch.body.size == 0 || batch.body.event_count == 0) return false;
  KeyedEpoch* epoch = find_epoch(batch.epoch);
  if (epoch == nullptr) {
    epoch = &epochs_.emplace_back(batch.epoch, batch.epoch_seen);
    epoch->retire();
  }
  const std::uint32_t size = batch.body.size;
  if (epoch->seen() != batch.epoch_seen || !epoch->restore(batch.sequence, std::move(batch.body))) return false;
  held_bytes_ += size;
  ++held_batches_;
  return true;
}

std::vector<Body> Stream::take_back_too_large() {
  std::vector<Body> back;
  if (std::ranges::all_of(queue_, [this](const Body& body) { return within_limits(body); })) return back;
  for (Body& body : queue_) {
    held_bytes_ -= body.size;
    --held_batches_;
    back.push_back(std::move(body));
  }
  queue_.clear();
  return back;
}

Taken Stream::enqueue(Body body) {
  if (body.size == 0 || body.event_count == 0 || !within_limits(body)) return Taken::too_large;
  const bool room = held_batches_ < options_.max_held_batches && held_bytes_ + body.size <= options_.max_held_bytes;
  if (!room && held_batches_ > 0) return Taken::must_wait;
  held_bytes_ += body.size;
  ++held_batches_;
  queue_.push_back(std::move(body));
  return Taken::accepted;
}

void Stream::connected(const wire::HelloAck& ack) {
  if (link_ != Link::connecting) return;
  link_ = Link::up;
  if (is_other_state(ack.now)) notices_.push_back({Notice::Kind::other_state});
  now_known_ = ack.now;
  // 0: not told, so what the protocol says by default.
  window_batches_ = ack.window_batches == 0 ? widest_window : std::min(ack.window_batches, widest_window);
  window_bytes_ = ack.window_bytes == 0 ? 1U << 20 : ack.window_bytes;
  if (ack.max_frame_bytes != 0) max_frame_bytes_ = ack.max_frame_bytes;
  if (ack.max_events != 0) max_events_ = ack.max_events;
  // A reason to key what was not sent yet into a new epoch, never to re-key what was: that may be counted.
  if (hello_epoch_ && ack.epoch_known == false)
    if (KeyedEpoch* epoch = find_epoch(*hello_epoch_)) epoch->retire();
  bury_ended_epochs();
}

// Than the last connection's; of the first one, than that to which what was resumed was sent.
bool Stream::is_other_state(EpochSeen now) const {
  if (now_known_.state_id != 0) return now.state_id != now_known_.state_id;
  return std::ranges::any_of(epochs_, [now](const KeyedEpoch& one) { return one.seen().state_id != now.state_id; });
}

void Stream::told(EpochSeen now) {
  if (now.state_id != now_known_.state_id || now.running_ms > now_known_.running_ms) now_known_ = now;
}

void Stream::go_away(BootNs now) {
  if (link_ != Link::up) return;
  link_ = Link::leaving;
  leave_by_ = now + options_.leave_within_ns;
}

void Stream::connection_lost(BootNs now) {
  if (link_ == Link::down) return;
  link_ = Link::down;
  ++counts_.connections_lost;
  for (KeyedEpoch& epoch : epochs_) epoch.lost();
  flights_.clear();
  in_flight_ = 0;
  in_flight_bytes_ = 0;
  connect_at_ = now + backoff_.failed(random_());
}

void Stream::finish() {
  finishing_ = true;
  bury_ended_epochs();
}

Action Stream::next(BootNs now) {
  Action action;
  switch (link_) {
    case Link::connecting:
    case Link::closing:
      return action;
    case Link::down: {
      if (idle()) return action;
      const BootNs at = std::max(connect_at_, closed_until_);
      if (now < at) return wait_until(at);
      link_ = Link::connecting;
      hello_epoch_.reset();
      if (!epochs_.empty()) hello_epoch_ = epochs_.back().id();
      action.kind = Action::Kind::connect;
      action.epoch = hello_epoch_;
      return action;
    }
    case Link::leaving:
    case Link::up:
      break;
  }
  const std::optional<BootNs> due = answer_due();
  const bool left = link_ == Link::leaving && (in_flight_ == 0 || now >= leave_by_);
  if (left || (due && now >= *due)) {
    link_ = Link::closing;
    action.kind = Action::Kind::disconnect;
    return action;
  }
  if (link_ == Link::leaving) return wait_until(due ? std::min(*due, leave_by_) : leave_by_);
  if (!goodbyes_.empty()) {
    action.kind = Action::Kind::send_goodbye;
    action.goodbye = goodbyes_.front();
    goodbyes_.pop_front();
    return action;
  }
  if (now < closed_until_) return wait_until(due ? std::min(*due, closed_until_) : closed_until_);
  if (auto again = resend(now)) return *again;
  if (auto first = send_new(now)) return *first;
  return wait_until(answer_due());
}

Action Stream::wait_until(std::optional<BootNs> until) const {
  Action action;
  if (!idle()) action.until = until;
  return action;
}

bool Stream::fits(const Body& body) const {
  if (in_flight_ == 0) return true;  // one alone always fits, or a window below its size would hold it for ever
  return in_flight_ < window_batches_ && in_flight_bytes_ + cost_of(body) <= window_bytes_;
}

std::optional<Action> Stream::resend(BootNs now) {
  for (KeyedEpoch& epoch : epochs_) {
    if (epoch.waiting() == 0) continue;
    const Sequence sequence = epoch.first_waiting();
    Keyed* batch = epoch.find(sequence);
    if (batch == nullptr || !fits(batch->body)) return std::nullopt;
    // What was resumed may be spread wider than the server remembers above the lowest.
    if (sequence - epoch.settled_below() >= widest_window) return std::nullopt;
    epoch.sent_again(*batch, now);
    ++counts_.resendings;
    return sending(epoch, sequence, *batch);
  }
  return std::nullopt;
}

std::optional<Action> Stream::send_new(BootNs now) {
  // Limits may have shrunk since it was taken; it bears no key, so its fate is certain.
  while (!queue_.empty() && !within_limits(queue_.front())) {
    const bool many = queue_.front().event_count > max_events_;
    report(queue_.front(), Fate::refused, many ? Reason::too_many_events : Reason::frame_too_large, nullptr);
    queue_.pop_front();
  }
  if (queue_.empty() || !fits(queue_.front())) return std::nullopt;
  KeyedEpoch& epoch = fresh_epoch();
  // In flight or waiting: numbers beyond the server's memory would be refused (window_full).
  if (epoch.span() >= window_batches_) return std::nullopt;
  Sequence sequence = 0;
  const Keyed* batch = epoch.key(std::move(queue_.front()), now, sequence);
  queue_.pop_front();
  Action action = sending(epoch, sequence, *batch);
  action.first = true;
  return action;
}

KeyedEpoch& Stream::fresh_epoch() {
  if (!epochs_.empty()) {
    KeyedEpoch& last = epochs_.back();
    if (!last.retired() && last.fresh(now_known_, options_.fresh_for_ms)) return last;
    if (last.seen().state_id != now_known_.state_id) last.suspect();
    last.retire();
    bury_ended_epochs();
  }
  Epoch id = random_();
  while (id == 0) id = random_();
  ++counts_.epochs_drawn;
  return epochs_.emplace_back(id, now_known_);
}

Action Stream::sending(KeyedEpoch& epoch, Sequence sequence, const Keyed& batch) {
  ++in_flight_;
  in_flight_bytes_ += cost_of(batch.body);
  ++counts_.sendings;
  flights_.push_back({epoch.id(), sequence, batch.sent_at});
  Action action;
  action.kind = Action::Kind::send_batch;
  action.header.keyed = true;
  action.header.priority = options_.priority;
  action.header.event_count = batch.body.event_count;
  action.header.epoch = epoch.id();
  action.header.sequence = sequence;
  action.header.settled_below = epoch.settled_below();
  action.header.epoch_seen = epoch.seen();
  action.header.dropped_events = counts_.dropped_events;
  action.body = &batch.body;
  return action;
}

std::optional<BootNs> Stream::answer_due() {
  while (!flights_.empty()) {
    const Flight& oldest = flights_.front();
    KeyedEpoch* epoch = find_epoch(oldest.epoch);
    const Keyed* batch = epoch != nullptr ? epoch->find(oldest.sequence) : nullptr;
    if (batch != nullptr && batch->in_flight && batch->sent_at == oldest.sent_at)
      return oldest.sent_at + options_.answer_timeout_ns;
    flights_.pop_front();
  }
  return std::nullopt;
}

KeyedEpoch* Stream::find_epoch(Epoch id) {
  for (auto epoch = epochs_.rbegin(); epoch != epochs_.rend(); ++epoch)
    if (epoch->id() == id) return &*epoch;
  return nullptr;
}

void Stream::bury_ended_epochs() {
  if (finishing_ && idle() && !epochs_.empty()) epochs_.back().retire();
  std::erase_if(epochs_, [this](const KeyedEpoch& epoch) {
    if (!epoch.empty() || !epoch.retired()) return false;
    if (!epoch.suspected() && goodbyes_.size() < most_goodbyes) goodbyes_.push_back({epoch.id(), epoch.seen()});
    return true;
  });
}

}  // namespace nissa::client
