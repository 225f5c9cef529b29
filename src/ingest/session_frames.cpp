// One frame of a connection: what each kind means, and how a bad one is answered.
#include <algorithm>

#include "ingest/acknowledgement.hpp"
#include "ingest/session_flow.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {
namespace {

// A length, a tag and a length.
constexpr std::size_t longest_prefix = wire::max_frame_prefix;

}  // namespace

// All of it is there; or it is malformed, and as much as is there is looked at.
void SessionFlow::take_frame(const wire::FrameStep<wire::FrameKind>& step, Batches& batches) {
  patience_.work();  // the next frame has a time of its own
  if (step.status == wire::FrameStatus::lost) {
    malformed_frame(std::nullopt, {step.reason, step.offset, ""});
    return leave(step.reason, "the length of a frame is unreadable, so the next one cannot be found");
  }
  const std::size_t here = std::min(step.size, buffer_.unread().size());
  buffer_.consume(here);
  skipping_ = step.size - here;
  const bool complete = step.status == wire::FrameStatus::complete;
  if (complete && step.kind != wire::FrameKind::batch) {
    small_ = {step.kind, step.payload};
    return;
  }
  const wire::Malformed fault{step.reason, step.offset, ""};
  if (step.kind != wire::FrameKind::batch) return malformed_frame(std::nullopt, fault);
  const auto header = wire::peek_header(step.payload);
  if (!header) return malformed_frame(wire::peek_key(step.payload), complete ? header.error() : fault);
  const Arrived batch = arrive(*header, step.payload);
  if (!complete) return malformed_batch(batch, fault);
  if (const auto unfit = fault_of(*header)) return malformed_batch(batch, *unfit);
  batches.push_back(batch);
}

// What can be told from the header is told before the body is read; then the body is skipped.
void SessionFlow::look_at_partial(const wire::FrameStep<wire::FrameKind>& step) {
  partial_size_ = step.size;
  const bool readable = step.kind == wire::FrameKind::batch && step.payload_size != 0 &&
                        wire::can_peek(step.payload.size(), step.payload_size);
  const bool other = step.kind != wire::FrameKind::batch && step.kind != wire::FrameKind::unknown;
  if (partial_ || other) {
    wanted_ = step.size;
    return;
  }
  if (!readable) {  // no room is asked for the body before it is known whose it is
    wanted_ = step.size == 0 ? step.wanted : std::min(step.size, longest_prefix + wire::header_limit);
    return;
  }
  const auto header = wire::peek_header(step.payload);
  if (!header) {
    const auto key = wire::peek_key(step.payload);
    skip_partial();
    return malformed_frame(key, header.error());
  }
  const auto fault = fault_of(*header);
  const auto refusal = door_.overload.refusal(header->priority);
  if (fault || refusal) {
    const Arrived batch = arrive(*header, {});
    skip_partial();
    return fault ? malformed_batch(batch, *fault) : refuse(batch, refusal->reason, refusal->retry_after_ms);
  }
  class_ = header->priority;
  partial_ = *header;
  partial_->agent = {};  // lies in the buffer, which will move
  wanted_ = step.size;
}

void SessionFlow::skip_partial() {
  const std::size_t here = buffer_.unread().size();
  buffer_.consume(here);
  skipping_ = partial_size_ - here;
  wanted_ = 0;
  partial_.reset();
}

// Every batch whose header can be read passes here once, and gets one answer.
SessionFlow::Arrived SessionFlow::arrive(const wire::BatchHeader& header, ByteView bytes) {
  class_ = header.priority;
  skew_.batch(header.sent_at_unix_ns, arrival_ms_ * ns_per_ms);
  books_of(header.priority).received.add();
  take_in_hand(header.priority);
  const std::int64_t skew_ns = skew_.shift_ns();
  const Outbox::Taken taken{read_at_, skew_ns / ns_per_ms};
  return {header, bytes, outbox_->take_slot(taken), skew_ns};
}

std::optional<wire::Malformed> SessionFlow::fault_of(const wire::BatchHeader& header) const {
  if (!greeted_) return wire::Malformed{Reason::hello_expected, 0, ""};
  if (!header.keyed) return wire::Malformed{Reason::header_invalid, 0, "epoch"};
  return wire::check_event_count(header, door_.options.max_events);
}

void SessionFlow::take_in_hand(Priority priority) {
  ++in_hand_[index_of(priority)];
  books_of(priority).in_hand.add();
}

void SessionFlow::out_of_hand(Priority priority, std::uint64_t batches) {
  in_hand_[index_of(priority)] -= batches;
  books_of(priority).in_hand.subtract(batches);
}

Task<void> SessionFlow::answer_small() {
  const Small small = std::exchange(small_, {});
  if (!greeted_ && small.kind != wire::FrameKind::hello) {
    malformed_frame(std::nullopt, {Reason::hello_expected, 0, ""});
    co_return;
  }
  switch (small.kind) {
    case wire::FrameKind::hello:
      co_await on_hello(small.payload);
      co_return;
    case wire::FrameKind::heartbeat:
      on_heartbeat(small.payload);
      co_return;
    case wire::FrameKind::goodbye:
      on_goodbye(small.payload);
      co_return;
    case wire::FrameKind::control:
      on_control(small.payload);
      co_return;
    case wire::FrameKind::batch:
    case wire::FrameKind::unknown:
      violation("ingest", "a complete frame that is no batch is a small message");
  }
}

Task<void> SessionFlow::on_hello(ByteView payload) {
  const auto hello = wire::decode_hello(payload);
  if (!hello) {
    malformed_frame(std::nullopt, hello.error());
    co_return;
  }
  if (hello->protocol != wire::protocol_version) {
    malformed_frame(std::nullopt, {Reason::protocol_unknown, 0, "protocol"});
    leave(Reason::protocol_unknown, "this server speaks protocol 2");
    co_return;
  }
  greeted_ = true;
  patience_.greeted();
  skew_.exchange(hello->sent_at_unix_ns, arrival_ms_ * ns_per_ms, std::nullopt);
  sender_ = std::make_shared<ledger::Sender>(ledger::Sender{hello->agent, sender_->principal});
  lobby_.agents.greet(sender_->principal, sender_->agent);
  wire::HelloAck ack = greeting(door_.options);
  ack.sent_at_unix_ns = hello->sent_at_unix_ns;
  if (hello->epoch) ack.epoch_known = co_await door_.ledger.async_epoch_known(*hello->epoch);
  ack.now = door_.state_now();
  outbox_->say(ack);
}

void SessionFlow::on_heartbeat(ByteView payload) {
  const auto beat = wire::decode_heartbeat(payload);
  if (!beat) return malformed_frame(std::nullopt, beat.error());
  skew_.exchange(beat->sent_at_unix_ns, arrival_ms_ * ns_per_ms, beat->round_trip_ns);
  outbox_->say(wire::HeartbeatAck{beat->sent_at_unix_ns, door_.state_now()});
}

void SessionFlow::on_goodbye(ByteView payload) {
  const auto goodbye = wire::decode_goodbye(payload);
  if (!goodbye) return malformed_frame(std::nullopt, goodbye.error());
  // Without epoch_seen it would end an epoch of which nobody could tell when it began.
  if (!goodbye->epoch_seen) return malformed_frame(std::nullopt, {Reason::field_missing, 0, "epoch_seen"});
  door_.ledger.goodbye(goodbye->epoch, *goodbye->epoch_seen);
}

void SessionFlow::on_control(ByteView payload) {
  const auto command = wire::decode_control_command(payload);
  if (!command) return malformed_frame(std::nullopt, command.error());
  outbox_->say(wire::ControlReply{command->id, false, Reason::not_supported,
                                  "commands over TCP are not built yet; use the admin port"});
}

void SessionFlow::refuse(const Arrived& batch, Reason reason, std::uint32_t retry_after_ms) {
  books_of(batch.header.priority).refused[static_cast<std::size_t>(reason)].add();
  out_of_hand(batch.header.priority, 1);
  outbox_->answer(batch.slot, refusal(batch.header.key(), door_.state_now(), reason, retry_after_ms));
}

void SessionFlow::malformed_batch(const Arrived& batch, const wire::Malformed& fault) {
  log_malformed(sender_->principal, sender_->agent, fault);
  books_of(batch.header.priority).malformed.add();
  out_of_hand(batch.header.priority, 1);
  const auto key = batch.header.keyed ? std::optional<BatchKey>(batch.header.key()) : std::nullopt;
  outbox_->answer(batch.slot, malformed(key, door_.state_now(), fault));
}

// No slot: such a frame is not under way. What may pile up of these is the outbox's to bound.
void SessionFlow::malformed_frame(std::optional<BatchKey> key, const wire::Malformed& fault) {
  log_malformed(sender_->principal, sender_->agent, fault);
  door_.books.unreadable.add();
  outbox_->say(malformed(key, door_.state_now(), fault));
}

}  // namespace nissa::ingest
