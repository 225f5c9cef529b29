// Groups and what the disk makes of them.
#include <string>
#include <utility>

#include "simulation/node.hpp"

namespace nissa::simulation {

using journal::CommitResult;

void Node::plan_close(std::int64_t after_ns) {
  if (close_planned_) return;
  close_planned_ = true;
  world_.after(after_ns, [this, life = starts_] {
    if (!alive_ || starts_ != life || !close_planned_) return;
    close_planned_ = false;
    if (!group_->is_in_flight() && !broken_) close();
  });
}

void Node::close() {
  const ledger::Stamp stamp = ledger_->next_stamp(now_ms());
  const ledger::Record& record = *group_->close(stamp.lsn, stamp.ledger_ms, stamp.running_ms);
  const auto read_back = ledger::decode_record(ledger::encode(record));
  if (!read_back || !(*read_back == record)) oracle_.fail("a record does not read back as it was written");
  hand_over();
}

// The record in flight, with what of a snapshot rides along; again after the disk was full.
void Node::hand_over() {
  journal::Commit commit;
  commit.lsn = group_->record_in_flight().lsn;
  commit.record = ledger::encode(group_->record_in_flight());
  snapshots_->ride(*ledger_, commit);
  under_way_ = std::move(commit);
  const std::int64_t takes =
      world_.chance(chances_.slow_commit) ? world_.between(ns_per_s, 5 * ns_per_s) : world_.between(100'000, 8'000'000);
  world_.after(takes, [this, life = starts_] {
    if (alive_ && starts_ == life && under_way_) end_commit();
  });
}

void Node::end_commit() {
  const CommitResult result = disk_.commit(*journal_, *std::exchange(under_way_, std::nullopt));
  // Told before the power went: then the ledger may have heard it, and told the agents.
  if (result == CommitResult::durable || !disk_.is_off()) commit_ended(result);
  if (disk_.is_off()) die();
}

void Node::commit_ended(CommitResult result) {
  snapshots_->settled(result == CommitResult::durable);
  last_ended_ = world_.clock.boot_ns();
  switch (result) {
    case CommitResult::full:  // rolled back: the same record again
      world_.after(50 * ns_per_ms, [this, life = starts_] {
        if (alive_ && starts_ == life) hand_over();
      });
      return;
    case CommitResult::unknown:
      return fail_group();
    case CommitResult::durable:
      apply(group_->record_in_flight(), merged_);
      doubtful_.clear();
      deliver(group_->durable());
      if (fold_ == nullptr && !group_->definitions_pending()) open_door();
      break;
  }
  if (group_->anything_open()) plan_close(5 * ns_per_ms);
}

// Its file is not trusted again: the state goes on in a new one, without it. Until then a start may find it.
void Node::fail_group() {
  ++failed_commits_;
  doubt(group_->record_in_flight());
  for (const ledger::CountedBatch& batch : group_->record_in_flight().batches) merged_.erase(batch.key);
  deliver(group_->failed());
  broken_ = true;
  plan_rewrite(0);
}

void Node::plan_rewrite(std::int64_t after_ns) {
  world_.after(after_ns, [this, life = starts_] {
    if (alive_ && starts_ == life) rewrite_piece();
  });
}

void Node::rewrite_piece() {
  if (!rewriter_) rewriter_.emplace(*ledger_, snapshots_->catalog().highest() + 1);
  journal::Rewrite piece = rewriter_->next(*ledger_);
  const bool is_last = piece.last;
  if (is_last) doubt(rewriter_->record());
  const CommitResult result = disk_.rewrite(*journal_, std::move(piece));
  if (result != CommitResult::durable) {
    rewriter_.reset();
    plan_rewrite(ns_per_s);
  } else if (is_last) {
    take_over();
  } else {
    plan_rewrite(world_.between(100'000, 8'000'000));
  }
  if (disk_.is_off()) die();
}

void Node::take_over() {
  ++rewrites_;
  std::map<BatchKey, Merged> none;
  apply(rewriter_->record(), none);
  doubtful_.clear();
  snapshots_->begin_anew(std::move(*rewriter_).catalog());
  rewriter_.reset();
  broken_ = false;
  last_ended_ = world_.clock.boot_ns();
  if (group_->anything_open()) plan_close(0);
}

void Node::doubt(const ledger::Record& record) {
  Doubtful one{.record = record, .merged = {}};
  for (const ledger::CountedBatch& batch : record.batches)
    if (const auto found = merged_.find(batch.key); found != merged_.end()) one.merged.insert(*found);
  doubtful_.push_back(std::move(one));
}

// It is durable, whether or not anybody will be told.
void Node::apply(const ledger::Record& record, std::map<BatchKey, Merged>& merged) {
  ledger_->apply(record);
  archive_[record.lsn] = ledger::encode(record);
  epochs_forgotten_ += record.forgotten.size();
  oracle_.durable(record, merged);
}

void Node::deliver(std::vector<ledger::Delivery> deliveries) {
  for (ledger::Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
}

}  // namespace nissa::simulation
