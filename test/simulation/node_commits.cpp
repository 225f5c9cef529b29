// Groups and what the disk makes of them.
#include <string>

#include "simulation/node.hpp"

namespace nissa::simulation {

using journal::CommitResult;

void Node::plan_close(std::int64_t after_ns) {
  if (close_planned_) return;
  close_planned_ = true;
  world_.after(after_ns, [this, life = starts_] {
    if (!alive_ || starts_ != life || !close_planned_) return;
    close_planned_ = false;
    if (!group_->is_in_flight()) close();
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
  journal_->commit(std::move(commit), [this](CommitResult result) { commit_ended(result); });
  const std::int64_t takes =
      world_.chance(chances_.slow_commit) ? world_.between(ns_per_s, 5 * ns_per_s) : world_.between(100'000, 8'000'000);
  world_.after(takes, [this, life = starts_] {
    if (alive_ && starts_ == life && journal_->pending() != nullptr) end_commit();
  });
}

void Node::end_commit() {
  if (world_.chance(chances_.commit_lost)) return die();  // this node has to be started anew
  if (!world_.chance(chances_.commit_failed))
    return journal_->finish(world_.chance(chances_.disk_full) ? CommitResult::full : CommitResult::durable);
  // The file is not trusted again: the state goes on in another one, and the record is in neither.
  ++failed_commits_;
  journal_->finish(CommitResult::unknown);
  journal_.reset(static_cast<test::FakeJournal*>(test::open_fake(disk_).journal.release()));
  if (!journal_->start()) oracle_.fail("the journal does not start");
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
      for (const ledger::CountedBatch& batch : group_->record_in_flight().batches) merged_.erase(batch.key);
      deliver(group_->failed());
      break;
    case CommitResult::durable:
      apply_in_flight();
      deliver(group_->durable());
      if (fold_ == nullptr && !group_->definitions_pending()) open_door();
      break;
  }
  if (group_->anything_open()) plan_close(5 * ns_per_ms);
}

// It is durable, whether or not anybody will be told.
void Node::apply_in_flight() {
  const ledger::Record record = group_->record_in_flight();
  ledger_->apply(record);
  archive_[record.lsn] = ledger::encode(record);
  epochs_forgotten_ += record.forgotten.size();
  oracle_.durable(record, merged_);
}

void Node::deliver(std::vector<ledger::Delivery> deliveries) {
  for (ledger::Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
}

}  // namespace nissa::simulation
