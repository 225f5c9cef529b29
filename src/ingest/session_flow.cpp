#include "ingest/session_flow.hpp"

#include <algorithm>
#include <exception>

#include "base/memory.hpp"
#include "ingest/batch_line.hpp"
#include "ingest/principal.hpp"

namespace nissa::ingest {
namespace {

Task<void> write_until_closed(std::shared_ptr<Outbox> outbox, Latch& ended) {
  try {
    co_await outbox->run();
  } catch (const std::exception& thrown) {
    violation("ingest", std::string("acks are written without an exception, not with: ") + thrown.what());
    outbox->close();
  }
  ended.open();
}

}  // namespace

SessionFlow::SessionFlow(Lobby& lobby, const Strand& strand, std::shared_ptr<ByteStream> stream,
                         const PeerAddress& peer)
    : lobby_(lobby),
      door_(lobby.door),
      strand_(strand),
      stream_(std::move(stream)),
      sender_(std::make_shared<ledger::Sender>(ledger::Sender{"", principal_of(peer)})),
      sender_id_(sender_id_of(sender_->principal)),
      outbox_(std::make_shared<Outbox>(strand, stream_, door_.options.window_batches, door_.ledger.state_id(),
                                       door_.books, door_.clock)),
      patience_(door_.clock.boot_ns()),
      skew_(door_.fold_options.agent_clock),
      buffer_(lobby.buffers) {}

Task<void> SessionFlow::run() {
  spawn_on(strand_, write_until_closed(outbox_, writer_ended_));  // acks go back as groups become durable
  try {
    co_await serve();
  } catch (const std::exception& thrown) {
    violation("ingest", std::string("a session ends without an exception, not with: ") + thrown.what());
    outbox_->close();
    for (const Priority priority : all_priorities) out_of_hand(priority, in_hand_[index_of(priority)]);
  }
  patience_.work();
  give_back_buffer();
  outbox_->finish();
  co_await writer_ended_.wait();
}

Task<void> SessionFlow::serve() {
  Batches batches;
  while (co_await read_more()) {  // held here while the class has no room for its bytes
    for (Next next = Next::slot; next != Next::read;) {
      batches.clear();
      next = take_frames(batches);         // split, headers peeked; bad ones are answered by name
      co_await admit_and_commit(batches);  // refused by name, or: a turn, proven, folded, into the open group
      if (next == Next::small) co_await answer_small();  // Hello, Heartbeat, Goodbye
      if (next == Next::slot) co_await outbox_->wait_for_slot();
    }
  }
}

// False: nothing more comes, or nothing more is to be read. Views into the buffer end here.
Task<bool> SessionFlow::read_more() {
  if (leaving_ || outbox_->closed()) co_return false;
  const BootNs now = door_.clock.boot_ns();
  if (buffer_.empty() && skipping_ == 0)
    patience_.idle(now);
  else
    patience_.frame(now);
  if (buffer_.empty()) give_back_buffer();  // whoever is idle holds none
  if (buffer_.empty() || drained_) {        // … and whoever stands still in a frame no more than that: see attend()
    waiting_ = true;
    const auto readable = co_await stream_->wait_readable();
    waiting_ = false;
    if (!readable && readable.error() != StreamEnd::finished) outbox_->close();
    if (!readable || leaving_) co_return false;
  }
  if (!co_await get_room()) co_return false;
  const std::span<Byte> space = buffer_.free_space();
  const auto read = co_await stream_->read_some(space);
  if (!read) {
    if (read.error() != StreamEnd::finished) outbox_->close();  // nobody is there any more to read an ack
    co_return false;
  }
  drained_ = *read < space.size();
  buffer_.filled(*read);
  read_at_ = door_.clock.boot_ns();
  arrival_ms_ = door_.ledger.now_ms();
  co_return !leaving_;
}

SessionFlow::Next SessionFlow::take_frames(Batches& batches) {
  wanted_ = 0;
  while (!buffer_.empty() && !leaving_ && !outbox_->closed()) {
    if (skipping_ != 0) {
      const std::size_t skipped = std::min(skipping_, buffer_.unread().size());
      buffer_.consume(skipped);
      skipping_ -= skipped;
      if (skipping_ == 0) patience_.work();
      continue;
    }
    if (outbox_->full()) {
      patience_.work();
      return Next::slot;
    }
    const auto step = wire::next_client_frame(buffer_.unread(), door_.options.max_frame_bytes);
    if (step.status == wire::FrameStatus::need_more) {
      look_at_partial(step);
      if (skipping_ != 0) continue;  // it was answered from its header
      return Next::read;
    }
    partial_.reset();
    take_frame(step, batches);
    if (small_.kind != wire::FrameKind::unknown) return Next::small;
  }
  return Next::read;
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
    if (!door_.ledger.has_room()) co_await door_.ledger.async_room();
    co_await door_.overload.async_turn(priority, bytes);
    fold_and_commit(of_class);
  }
}

// Grown bit by bit, the cells would be copied for every other batch. How many events there are is the agent's word: no
// more room is taken for it than its bytes take.
std::size_t SessionFlow::most_cells(std::span<const Arrived> batches) {
  std::size_t cells = 0;
  for (const Arrived& batch : batches)
    cells += std::min<std::size_t>(batch.header.event_count, batch.bytes.size() / sizeof(slo::Cell));
  return cells;
}

// Between the turn and the end of this function nothing waits.
void SessionFlow::fold_and_commit(std::span<const Arrived> batches) {
  const UnixMs now_ms = door_.ledger.now_ms();
  Lock lock(lobby_.folding);
  ledger::Submission submission;
  const auto commit = [&] {
    if (submission.lines.empty()) return;
    out_of_hand(submission.lines.front().key.priority, submission.lines.size());
    submission.sender = sender_;
    submission.reply_to = outbox_;
    door_.ledger.submit(std::exchange(submission, {}));
  };
  // Where there is no memory for all of them, each batch finds out for itself.
  (void)had_memory([&] {
    submission.lines.reserve(batches.size());
    submission.cells.reserve(most_cells(batches));
  });
  for (const Arrived& batch : batches) {
    const bool fits = submission.lines.empty() || (submission.lines.front().key.epoch == batch.header.epoch &&
                                                   submission.epoch_seen == batch.header.epoch_seen);
    if (!fits) commit();
    submission.epoch_seen = batch.header.epoch_seen;
    fold_one(batch, now_ms, submission);
  }
  commit();
}

void SessionFlow::fold_one(const Arrived& batch, UnixMs now_ms, ledger::Submission& submission) {
  const fold::FoldContext context{now_ms, arrival_ms_, batch.skew_ns};
  const auto fault = add_batch(submission, door_.fold, batch.bytes, batch.header, context, batch.slot);
  if (!fault) return;
  if (fault->malformed) return malformed_batch(batch, *fault->malformed);
  refuse(batch, fault->refused, fault->retry_after_ms);
}

}  // namespace nissa::ingest
