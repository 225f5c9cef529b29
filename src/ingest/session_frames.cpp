// One frame of a connection: what each kind means, and how a bad one is answered.
#include <algorithm>
#include <functional>

#include "ingest/acknowledgement.hpp"
#include "ingest/session_flow.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {

void SessionFlow::take_batch(ByteView payload, std::vector<Arrived>& batches) {
  const auto header = wire::peek_header(payload);
  if (!header) return malformed_frame(wire::peek_key(payload), header.error());
  if (!greeted_) return malformed_frame(std::nullopt, {Reason::hello_expected, 0, ""});
  if (!header->keyed) return malformed_frame(std::nullopt, {Reason::header_invalid, 0, "epoch"});
  last_class_ = header->priority;
  skew_.batch(header->sent_at_unix_ns, door_.clock.wall_ns());
  Outbox::Taken taken;
  taken.read_at = read_at_;
  taken.clock_skew_ms = static_cast<std::int32_t>(skew_.shift_ns() / ns_per_ms);
  const Arrived batch{*header, payload, outbox_->take_slot(taken)};
  ClassBooks& books = door_.books.of(header->priority);
  books.received.add();
  books.in_hand.add();
  if (const auto fault = wire::check_event_count(*header, door_.options.max_events))
    return malformed_batch(batch, *fault);
  batches.push_back(batch);
}

void SessionFlow::take_malformed_frame(const wire::FrameStep<wire::FrameKind>& step) {
  std::optional<BatchKey> key;
  if (step.kind == wire::FrameKind::batch) key = wire::peek_key(step.payload);
  malformed_frame(key, {step.reason, step.offset, ""});
}

Task<void> SessionFlow::take_small(wire::FrameKind kind, ByteView payload) {
  switch (kind) {
    case wire::FrameKind::hello:
      co_await on_hello(payload);
      co_return;
    case wire::FrameKind::heartbeat:
      on_heartbeat(payload);
      co_return;
    case wire::FrameKind::goodbye:
      on_goodbye(payload);
      co_return;
    case wire::FrameKind::control:
      on_control(payload);
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
  skew_.exchange(hello->sent_at_unix_ns, door_.clock.wall_ns(), std::nullopt);
  sender_ = std::make_shared<ledger::Sender>(ledger::Sender{hello->agent, sender_->principal});
  wire::HelloAck ack;
  ack.max_frame_bytes = door_.options.max_frame_bytes;
  ack.max_events = door_.options.max_events;
  ack.window_batches = door_.options.window_batches;
  ack.window_bytes = door_.options.window_bytes;
  ack.sent_at_unix_ns = hello->sent_at_unix_ns;
  if (hello->epoch) ack.epoch_known = co_await door_.ledger.async_epoch_known(*hello->epoch);
  ack.now = {door_.ledger.state_id(), door_.ledger.running_ms()};
  Bytes framed;
  wire::append_message(framed, ack);
  outbox_->say(std::move(framed));
}

void SessionFlow::on_heartbeat(ByteView payload) {
  const auto beat = wire::decode_heartbeat(payload);
  if (!beat) return malformed_frame(std::nullopt, beat.error());
  skew_.exchange(beat->sent_at_unix_ns, door_.clock.wall_ns(), beat->round_trip_ns);
  Bytes framed;
  wire::append_message(framed,
                       wire::HeartbeatAck{beat->sent_at_unix_ns, {door_.ledger.state_id(), door_.ledger.running_ms()}});
  outbox_->say(std::move(framed));
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
  Bytes framed;
  wire::append_message(framed, wire::ControlReply{command->id, false, Reason::not_supported,
                                                  "commands over TCP are not built yet; use the admin port"});
  outbox_->say(std::move(framed));
}

void SessionFlow::refuse(const Arrived& batch, Reason reason, std::uint32_t retry_after_ms) {
  ClassBooks& books = door_.books.of(batch.header.priority);
  books.refused[static_cast<std::size_t>(reason)].add();
  books.in_hand.subtract();
  outbox_->answer(batch.slot, refusal(batch.header.key(), reason, retry_after_ms));
}

void SessionFlow::malformed_batch(const Arrived& batch, const wire::Malformed& fault) {
  ClassBooks& books = door_.books.of(batch.header.priority);
  books.malformed.add();
  books.in_hand.subtract();
  outbox_->answer(batch.slot, malformed(batch.header.key(), fault));
}

// No slot: such a frame is not under way. What it may pile up is bounded by the writer, see read_more().
void SessionFlow::malformed_frame(std::optional<BatchKey> key, const wire::Malformed& fault) {
  door_.books.unreadable.add();
  Bytes framed;
  wire::append_message(framed, malformed(key, fault));
  outbox_->say(std::move(framed));
}

void SessionFlow::leave(Reason reason, const char* message) {
  if (leaving_) return;
  leaving_ = true;
  door_.books.closed[static_cast<std::size_t>(reason)].add();
  Bytes framed;
  wire::append_message(framed, wire::GoAway{reason, message});
  outbox_->say(std::move(framed));
}

void SessionFlow::go_away() {
  leave(Reason::shutting_down, "the server stops; reconnect later");
  outbox_->finish();
}

std::optional<Reason> SessionFlow::overdue(BootNs now) const {
  const std::int64_t since_ms = (now - phase_since_.load(std::memory_order_relaxed)) / ns_per_ms;
  switch (phase_.load(std::memory_order_relaxed)) {
    case Phase::greeting:
      if (since_ms > door_.options.hello_timeout_ms) return Reason::hello_expected;
      break;
    case Phase::partial_frame:
      if (since_ms > door_.options.frame_timeout_ms) return Reason::slow_frame;
      break;
    case Phase::idle:
      if (since_ms > door_.options.idle_timeout_ms) return Reason::idle;
      break;
    case Phase::busy:
      break;
  }
  const BootNs writing_since = outbox_->writing_since();
  if (writing_since != 0 && (now - writing_since) / ns_per_ms > door_.options.idle_timeout_ms) return Reason::idle;
  return std::nullopt;
}

void SessionFlow::expire(Reason reason) {
  switch (reason) {
    case Reason::slow_frame:
      leave(reason, "a frame was begun and not completed in time");
      break;
    case Reason::hello_expected:
      leave(reason, "no Hello came in time");
      break;
    default:
      leave(reason, "nothing was said for too long; send a Heartbeat");
  }
  // What is under way is still answered; an agent that does not read is cut off.
  if (outbox_->writing_since() != 0)
    outbox_->close();
  else
    outbox_->finish();
}

void SessionFlow::enter(Phase phase) {
  if (phase_.load(std::memory_order_relaxed) == phase && phase == Phase::partial_frame) return;  // the frame's own time
  phase_.store(phase, std::memory_order_relaxed);
  phase_since_.store(door_.clock.boot_ns(), std::memory_order_relaxed);
}

}  // namespace nissa::ingest
