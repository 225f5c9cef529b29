#include "simulation/node.hpp"

#include <string>

namespace nissa::simulation {

// Where one sending's answer goes; holds the life of the node it was given to.
class Node::Inbox final : public ledger::ReplyTo {
 public:
  Inbox(Node& node, std::uint64_t tag, Answered answer)
      : node_(node), tag_(tag), life_(node.starts_), answer_(std::move(answer)) {}
  void deliver(std::vector<ledger::Answer> answers) override {
    if (node_.starts_ != life_ || !node_.alive_) return;
    for (const ledger::Answer& one : answers) {
      if (answered_) node_.oracle_.fail("a sending was answered twice");
      answered_ = true;
      node_.oracle_.answered(tag_, one, node_.merged_.contains(one.key));
      wire::Ack ack;
      ack.key = one.key;
      ack.status = static_cast<wire::AckStatus>(one.status);
      ack.reason = one.reason;
      ack.final = one.status == ledger::AckStatus::refused && is_final(one.reason);
      ack.retry_after_ms = one.retry_after_ms;
      ack.now = EpochSeen{node_.state_id_, one.running_ms};
      answer_(ack);
    }
  }

 private:
  Node& node_;
  std::uint64_t tag_;
  std::uint64_t life_;
  bool answered_ = false;
  Answered answer_;
};

void Node::receive(ByteView batch, std::uint64_t tag, Answered answer) {
  const auto header = wire::peek_header(batch);
  if (!header || !header->keyed) return oracle_.fail("an agent sent a header that is none");
  ledger::Submission submission;
  const UnixMs now = now_ms();
  const auto folded = fold_->fold(batch, *header, {now, now, 0}, submission.cells);
  if (!folded) return oracle_.fail("an agent sent what is not canonical: " + folded.error().field);
  ledger::BatchLine line;
  line.key = header->key();
  line.settled_below = header->settled_below;
  line.print = wire::fingerprint_of(batch.subspan(header->header_size));
  line.cell_count = static_cast<std::uint32_t>(submission.cells.size());
  line.event_count = header->event_count;
  line.accepted = folded->accepted;
  line.late = folded->late;
  line.rejected = folded->rejected;
  submission.lines.push_back(line);
  submission.epoch_seen = header->epoch_seen;
  submission.sender = std::make_shared<ledger::Sender>(ledger::Sender{"simulated", "memory"});
  submission.reply_to = std::make_shared<Inbox>(*this, tag, std::move(answer));
  const bool is_pending = merged_.contains(line.key);
  const std::size_t open_before = group_->open_bytes();
  auto answers = group_->submit(submission, world_.clock.boot_ns());
  // Somebody more waits, and nobody did for this key: it was merged.
  if (!is_pending && group_->open_bytes() > open_before)
    merged_.try_emplace(line.key, Merged{tag, taken_now(oracle_.batch(tag)), configured_slos_});
  if (!answers.empty()) submission.reply_to->deliver(std::move(answers));
  if (group_->anything_open() && !group_->is_in_flight())
    plan_close(ledger::commit_at(world_.clock.boot_ns(), last_ended_, 5 * ns_per_ms) - world_.clock.boot_ns());
}

// By the words of the specification: older than the longest window, or more than 10 s ahead, is not taken.
TakenEvents Node::taken_now(const MadeBatch& made) {
  const UnixMs now = now_ms();
  constexpr std::int64_t hour_ms = 3'600'000;
  const UnixMs oldest = now / hour_ms * hour_ms - 30 * 24 * hour_ms;
  TakenEvents taken;
  for (const MadeEvent& event : made.events) taken.push_back(event.at_ms >= oldest && event.at_ms <= now + 10'000);
  return taken;
}

wire::HelloAck Node::hello(std::optional<Epoch> epoch) const {
  wire::HelloAck ack;
  ack.max_frame_bytes = 1u << 20;
  ack.max_events = 1000;
  ack.window_batches = 256;
  ack.window_bytes = 1u << 20;
  ack.now = now();
  if (epoch) ack.epoch_known = ledger_->epochs().find(*epoch) != nullptr;
  return ack;
}

void Node::goodbye(const wire::Goodbye& goodbye) {
  if (goodbye.epoch_seen) group_->goodbye(goodbye.epoch, *goodbye.epoch_seen);
  if (group_->anything_open() && !group_->is_in_flight()) plan_close(0);
}

}  // namespace nissa::simulation
