#include "tools/load_source.hpp"

namespace nissa::tools {

std::optional<BootNs> LoadSource::fill(client::Stream& stream, BootNs now) {
  if (ended_) return std::nullopt;
  wall_ns_ = clock_.wall_ns();
  if (pace_.every_ns == 0) {
    while (stream.held_batches() < pace_.depth && enqueue(stream, now)) {
    }
    return std::nullopt;
  }
  while (next_due_ <= now) {
    // Full: what is due stays due, and its waiting counts (no coordinated omission). An answer wakes us.
    if (stream.held_batches() >= pace_.depth || !enqueue(stream, next_due_)) return std::nullopt;
    next_due_ += pace_.every_ns;
  }
  return next_due_;
}

bool LoadSource::enqueue(client::Stream& stream, BootNs due) {
  if (books_.next_number >= pace_.most_batches) return false;
  const PlannedBatch batch{books_.next_number, wall_ns_};
  client::Body body;
  body.size = plan_.body_size(batch);
  body.event_count = plan_.shape().batch_events;
  body.tag = first_tag_ + outstanding_.size();
  if (stream.enqueue(std::move(body)) != client::Taken::accepted) return false;
  ++books_.next_number;
  ++books_.batches_made;
  outstanding_.push_back({batch, due, false, false});
  return true;
}

void LoadSource::append_body(const client::Body& body, Bytes& out) {
  Outstanding& one = outstanding_[body.tag - first_tag_];
  plan_.append_body(one.batch, out, one.made ? nullptr : &books_.tally);
  one.made = true;
}

void LoadSource::settled(const client::Settlement& settlement, BootNs now) {
  Outstanding& one = outstanding_[settlement.tag - first_tag_];
  one.settled = true;
  ++books_.batches_settled;
  switch (settlement.fate) {
    case client::Fate::duplicate:
      books_.events_duplicate += settlement.event_count;
      [[fallthrough]];
    case client::Fate::counted:
      books_.events_counted += settlement.event_count;
      break;
    case client::Fate::refused:
      books_.events_refused += settlement.event_count;
      break;
    case client::Fate::uncertain:
      books_.events_uncertain += settlement.event_count;
      break;
    case client::Fate::abandoned:
      books_.events_abandoned += settlement.event_count;
      break;
  }
  books_.events_late += settlement.late;
  for (const std::uint32_t rejected : settlement.rejected) books_.events_rejected += rejected;
  if (one.due >= books_.measure_from && one.due < books_.measure_to) books_.latency.add(now - one.due);
  while (!outstanding_.empty() && outstanding_.front().settled) {
    outstanding_.pop_front();
    ++first_tag_;
  }
}

void LoadSource::link_changed(bool up, std::string_view why) {
  books_.links_up += up;
  if (!up && !ended_) books_.last_trouble = why;
}

}  // namespace nissa::tools
