// What each answer means for the batch that it names. Doubt: REFUSED(journal), REFUSED(journal_slow) and a lost
// connection leave a sending unanswered for ever; and a refusal for now says nothing of a copy that may still be on its
// way. So after any of these the batch may be counted. Only what was never sent, or what every sending proves uncounted
// (unknown_epoch for each, or CONFLICT), is ever given another key.
#include <algorithm>
#include <utility>

#include "client/stream.hpp"
#include "wire/frame.hpp"

namespace nissa::client {
namespace {

// Ten times what a server may ask: garbage must not silence us.
constexpr std::uint32_t longest_retry_after_ms = 600'000;

}  // namespace

void Stream::acked(const wire::Ack& ack, BootNs now) {
  if (link_ != Link::up && link_ != Link::leaving) return;
  if (ack.now) told(*ack.now);
  // Whatever batch it answers: it is the class that is closed.
  if (ack.status == wire::AckStatus::refused && !ack.final && !is_final(ack.reason)) {
    closed_until_ = std::max(closed_until_, now + std::min(ack.retry_after_ms, longest_retry_after_ms) * ns_per_ms);
    if (refusals_.refused(ack.reason, now)) notices_.push_back({Notice::Kind::refused_for_now, ack.reason});
  }
  KeyedEpoch* epoch = ack.key && ack.key->priority == options_.priority ? find_epoch(ack.key->epoch) : nullptr;
  Keyed* batch = epoch != nullptr ? epoch->find(ack.key->sequence) : nullptr;
  if (batch == nullptr) {
    ++counts_.stray_acks;
    return;
  }
  const Sequence sequence = ack.key->sequence;
  switch (ack.status) {
    case wire::AckStatus::counted:
      if (ack.now) epoch->counted_at(*ack.now);
      backoff_.succeeded();
      settle(*epoch, sequence, Fate::counted, Reason::none, &ack);
      break;
    case wire::AckStatus::duplicate:
      if (ack.reason == Reason::below_low) {
        if (batch->resumed) {
          // The process that stored it had heard of more settlements than it had stored.
          backoff_.succeeded();
          settle(*epoch, sequence, Fate::duplicate, Reason::none, nullptr);
          break;
        }
        // We never declared it settled, so somebody else did under our epoch: a clone.
        ++counts_.clones_seen;
        epoch->suspect();
        settle(*epoch, sequence, Fate::uncertain, ack.reason, nullptr);
      } else {
        backoff_.succeeded();
        settle(*epoch, sequence, Fate::duplicate, Reason::none, nullptr);
      }
      break;
    case wire::AckStatus::refused:
      refused(*epoch, sequence, *batch, ack, now);
      break;
    case wire::AckStatus::malformed:
      settle(*epoch, sequence, batch->in_doubt ? Fate::uncertain : Fate::refused, ack.reason, nullptr);
      break;
    case wire::AckStatus::conflict:
      // Another body has this key, so none of our sendings was or will be counted, whatever was unanswered.
      ++counts_.clones_seen;
      epoch->suspect();
      if (batch->resumed)
        conflict(*epoch, sequence);
      else
        rekey(*epoch, sequence, now);
      break;
  }
  bury_ended_epochs();
}

void Stream::refused(KeyedEpoch& epoch, Sequence sequence, Keyed& batch, const wire::Ack& ack, BootNs now) {
  if (ack.reason == Reason::unknown_epoch) return unknown_epoch(epoch, sequence, batch, now);
  if (ack.final || is_final(ack.reason))
    return settle(epoch, sequence, batch.in_doubt ? Fate::uncertain : Fate::refused, ack.reason, nullptr);
  ++counts_.refusals;
  landed(batch);
  epoch.answered_for_retry(batch);
  batch.in_doubt = true;
  if (ack.retry_after_ms == 0) close_for_a_while(now);
}

void Stream::unknown_epoch(KeyedEpoch& epoch, Sequence sequence, const Keyed& batch, BootNs now) {
  epoch.suspect();
  // The server gives every copy of a batch of a forgotten epoch this same answer, for ever. So if each sending got it,
  // none is counted; a sending without it may have been counted before the epoch was forgotten.
  if (!batch.in_doubt) return rekey(epoch, sequence, now);
  const bool other_state = epoch.seen().state_id != now_known_.state_id;
  settle(epoch, sequence, Fate::uncertain, Reason::unknown_epoch, nullptr);
  settlements_.back().other_state = other_state;
}

void Stream::rekey(KeyedEpoch& epoch, Sequence sequence, BootNs now) {
  landed(*epoch.find(sequence));
  queue_.push_front(epoch.settle(sequence));
  ++counts_.rekeyed;
  close_for_a_while(now);  // a server that knows no epoch for long must not be hammered with new ones
}

// The earlier process sent another body under this key: its way to make one may have been another.
void Stream::conflict(KeyedEpoch& epoch, Sequence sequence) {
  settle(epoch, sequence, Fate::refused, Reason::none, nullptr);
  settlements_.back().conflict = true;
}

void Stream::close_for_a_while(BootNs now) {
  if (now < closed_until_) return;  // one failure, seen by many batches
  closed_until_ = now + backoff_.failed(random_());
}

void Stream::settle(KeyedEpoch& epoch, Sequence sequence, Fate fate, Reason reason, const wire::Ack* ack) {
  landed(*epoch.find(sequence));
  report(epoch.settle(sequence), fate, reason, ack);
}

void Stream::landed(const Keyed& batch) {
  if (!batch.in_flight) return;
  --in_flight_;
  in_flight_bytes_ -= batch.body.size + wire::header_limit + wire::max_frame_prefix;
}

void Stream::report(const Body& body, Fate fate, Reason reason, const wire::Ack* ack) {
  --held_batches_;
  held_bytes_ -= body.size;
  const bool counted = fate == Fate::counted || fate == Fate::duplicate;
  if (counted) refusals_.counted();
  if (!counted) counts_.dropped_events += body.event_count;
  Settlement settlement{body.tag, fate, reason, body.event_count};
  if (ack != nullptr) {
    settlement.accepted = ack->accepted;
    settlement.late = ack->late;
    settlement.rejected = ack->rejected;
    settlement.unmatched = ack->unmatched;
  }
  settlements_.push_back(settlement);
}

void Stream::take_settlements(std::vector<Settlement>& out) {
  out.insert(out.end(), settlements_.begin(), settlements_.end());
  settlements_.clear();
}

void Stream::take_notices(BootNs now, std::vector<Notice>& out) {
  if (refusals_.over(now)) notices_.push_back({Notice::Kind::taken_again});
  out.insert(out.end(), notices_.begin(), notices_.end());
  notices_.clear();
}

void Stream::give_up() {
  for (const Body& body : queue_) report(body, Fate::abandoned, Reason::none, nullptr);
  queue_.clear();
  for (KeyedEpoch& epoch : epochs_) {
    epoch.each([this](const Keyed& batch) { report(batch.body, Fate::uncertain, Reason::none, nullptr); });
  }
  epochs_.clear();
  flights_.clear();
  in_flight_ = 0;
  in_flight_bytes_ = 0;
}

}  // namespace nissa::client
