#include "ingest/session_flow.hpp"

#include <algorithm>
#include <functional>

namespace nissa::ingest {
namespace {

// What is read at once while a connection is busy: a read a frame costs 30 % more at batches of 100.
constexpr std::size_t read_chunk = 128u << 10;

Task<void> write_until_closed(std::shared_ptr<Outbox> outbox, Latch& ended) {
  co_await outbox->run();
  ended.open();
}

}  // namespace

SessionFlow::SessionFlow(Door& door, const Strand& strand, std::shared_ptr<ByteStream> stream, const PeerAddress& peer)
    : door_(door),
      strand_(strand),
      stream_(std::move(stream)),
      sender_(std::make_shared<ledger::Sender>(ledger::Sender{"", peer.text})),
      sender_id_(std::hash<std::string>{}(peer.text)),
      outbox_(std::make_shared<Outbox>(strand, stream_, door.options.window_batches, door.ledger.state_id(), door.books,
                                       door.clock)),
      skew_(door.fold_options.agent_clock),
      phase_since_(door.clock.boot_ns()) {}

Task<void> SessionFlow::run() {
  spawn_on(strand_, write_until_closed(outbox_, writer_ended_));  // acks go back as groups become durable
  std::vector<Arrived> batches;
  while (co_await read_more()) {  // held here while the class has no room for its bytes
    Taken taken = Taken::no_slot;
    while (taken == Taken::no_slot && !leaving_) {
      batches.clear();
      taken = co_await take_frames(batches);  // split, headers peeked; small messages are answered at once
      co_await admit_and_commit(batches);     // refused by name, or: a turn, proven, folded, into the open group
      if (taken == Taken::no_slot) co_await outbox_->wait_for_slot();
    }
  }
  outbox_->finish();
  co_await writer_ended_.wait();
}

// False: nothing more comes, or nothing more is to be read.
Task<bool> SessionFlow::read_more() {
  if (leaving_ || outbox_->closed()) co_return false;
  if (buffer_.empty()) {
    wanted_ = 0;
    if (skipping_ == 0) enter(greeted_ ? Phase::idle : Phase::greeting);
    if (drained_) {  // whoever is idle holds no buffer
      buffer_.release();
      rooms_.clear();
      if (!co_await stream_->wait_readable()) co_return false;
      if (leaving_) co_return false;
    }
  } else {
    enter(Phase::partial_frame);
  }
  if (!co_await get_room()) co_return false;
  const auto read = co_await stream_->read_some(buffer_.free_space());
  if (!read) {
    if (read.error() == StreamEnd::broken) outbox_->close();
    co_return false;
  }
  drained_ = *read < buffer_.free_space().size();
  buffer_.filled(*read);
  read_at_ = door_.clock.boot_ns();
  co_return !leaving_;
}

// Sees to a buffer with free space for the frame at its front. False: there is no room, and the connection is told so.
Task<bool> SessionFlow::get_room() {
  const std::size_t needed = std::max(read_chunk, wanted_);
  if (buffer_.capacity() >= needed) {
    buffer_.compact();
    if (!buffer_.free_space().empty()) co_return true;
  }
  const std::size_t more = needed - buffer_.capacity();
  auto room = door_.overload.try_bytes(last_class_, sender_id_, more);
  if (!room) {
    const Phase before = phase_;
    enter(Phase::busy);  // waiting is our doing: no deadline of the agent's runs
    room = co_await door_.overload.async_bytes(last_class_, sender_id_, more);
    enter(before);
  }
  if (!*room) {
    leave((*room).error().reason, "no room for this frame; come back later");
    co_return false;
  }
  rooms_.push_back(std::move(**room));
  buffer_.resize(needed);
  co_return true;
}

Task<SessionFlow::Taken> SessionFlow::take_frames(std::vector<Arrived>& batches) {
  wanted_ = 0;
  while (!buffer_.empty() && !leaving_) {
    if (skipping_ != 0) {
      const std::size_t skipped = std::min(skipping_, buffer_.unread().size());
      buffer_.consume(skipped);
      skipping_ -= skipped;
      continue;
    }
    if (outbox_->full()) co_return Taken::no_slot;
    const auto step = wire::next_client_frame(buffer_.unread(), door_.options.max_frame_bytes);
    if (step.status == wire::FrameStatus::need_more) {
      wanted_ = std::max(step.wanted, step.size);
      if (step.kind == wire::FrameKind::batch && wire::can_peek(step.payload.size(), step.payload_size))
        if (const auto header = wire::peek_header(step.payload)) last_class_ = header->priority;
      break;
    }
    if (step.status == wire::FrameStatus::lost) {
      malformed_frame(std::nullopt, {step.reason, step.offset, ""});
      leave(step.reason, "the length of a frame is unreadable, so the next one cannot be found");
      break;
    }
    const std::size_t here = std::min(step.size, buffer_.unread().size());
    phase_.store(Phase::busy, std::memory_order_relaxed);  // the next frame has a time of its own
    buffer_.consume(here);  // its bytes stay where they are until the buffer is compacted
    if (step.status == wire::FrameStatus::malformed) {
      skipping_ = step.size - here;
      take_malformed_frame(step);
    } else if (step.kind == wire::FrameKind::batch) {
      take_batch(step.payload, batches);
    } else {
      co_await take_small(step.kind, step.payload);
    }
  }
  co_return Taken::all;
}

Task<void> SessionFlow::admit_and_commit(std::span<const Arrived> batches) {
  while (!batches.empty()) {
    const Priority priority = batches.front().header.priority;
    std::size_t count = 0;
    std::size_t bytes = 0;
    for (; count < batches.size() && batches[count].header.priority == priority; ++count)
      bytes += batches[count].bytes.size();
    const auto of_class = batches.first(count);
    batches = batches.subspan(count);
    if (const auto refusal = door_.overload.refusal(priority)) {
      for (const Arrived& batch : of_class) refuse(batch, refusal->reason, refusal->retry_after_ms);
      continue;
    }
    enter(Phase::busy);
    co_await door_.ledger.async_room();
    co_await door_.overload.async_turn(priority, bytes);
    fold_and_commit(of_class);
  }
}

// Between the turn and the end of this function nothing waits.
void SessionFlow::fold_and_commit(std::span<const Arrived> batches) {
  const UnixMs now_ms = door_.ledger.now_ms();
  const fold::FoldContext now{now_ms, now_ms, skew_.shift_ns()};
  ledger::Submission submission;
  const auto commit = [&] {
    if (submission.lines.empty()) return;
    submission.sender = sender_;
    submission.reply_to = outbox_;
    door_.ledger.submit(std::move(submission));
    submission = {};
  };
  for (const Arrived& batch : batches) {
    const bool fits = submission.lines.empty() || (submission.lines.front().key.epoch == batch.header.epoch &&
                                                   submission.epoch_seen == batch.header.epoch_seen);
    if (!fits) commit();
    submission.epoch_seen = batch.header.epoch_seen;
    fold_one(batch, now, submission);
  }
  commit();
}

void SessionFlow::fold_one(const Arrived& batch, const fold::FoldContext& now, ledger::Submission& submission) {
  const std::size_t first_cell = submission.cells.size();
  const auto folded = door_.fold.fold(batch.bytes, batch.header, now, submission.cells);
  if (!folded) return malformed_batch(batch, folded.error());
  if (folded->metrics != 0 || folded->alerts != 0) {
    submission.cells.resize(first_cell);
    return refuse(batch, Reason::not_supported, 0);
  }
  door_.books.unmatched_events.add(folded->unmatched);
  ledger::BatchLine line;
  line.key = batch.header.key();
  line.settled_below = batch.header.settled_below;
  line.print = wire::fingerprint_of(batch.bytes.subspan(batch.header.header_size));
  line.first_cell = static_cast<std::uint32_t>(first_cell);
  line.cell_count = static_cast<std::uint32_t>(submission.cells.size() - first_cell);
  line.event_count = batch.header.event_count;
  line.accepted = folded->accepted;
  line.late = folded->late;
  line.rejected = folded->rejected;
  line.token = batch.slot;
  submission.lines.push_back(line);
  door_.books.of(batch.header.priority).in_hand.subtract();
}

}  // namespace nissa::ingest
