#include "simulation/node.hpp"

#include <string>

namespace nissa::simulation {
namespace {

constexpr std::int64_t edge_ns = 10 * ns_per_s;

}  // namespace

// Where one sending's answer goes; holds the life of the node it was given to.
class Node::Inbox final : public ledger::ReplyTo {
 public:
  Inbox(Node& node, Answered answer) : node_(node), life_(node.starts_), answer_(std::move(answer)) {}
  void deliver(std::vector<ledger::Answer> answers) override {
    if (node_.starts_ != life_ || !node_.alive_) return;
    for (const ledger::Answer& one : answers) {
      wire::Ack ack;
      ack.key = one.key;
      ack.status = static_cast<wire::AckStatus>(one.status);
      ack.reason = one.reason;
      ack.final = one.status == ledger::AckStatus::refused && is_final(one.reason);
      ack.retry_after_ms = one.retry_after_ms;
      ack.now = EpochSeen{node_.disk_.state_id, one.running_ms};
      answer_(ack);
    }
  }

 private:
  Node& node_;
  std::uint64_t life_;
  Answered answer_;
};

Node::Node(World& world, Oracle& oracle, Chances chances) : world_(world), oracle_(oracle), chances_(chances) {
  disk_.state_id = 42;
}

void Node::start() {
  ++starts_;
  journal::Opened opened = test::open_fake(disk_);
  journal_.reset(static_cast<test::FakeJournal*>(opened.journal.release()));
  const ledger::LedgerOptions options{.state_id = disk_.state_id, .hash_seed = starts_};
  auto recovered = ledger::recover(*journal_, opened.last_lsn, options);
  if (!recovered) return oracle_.fail("recovery failed: " + recovered.error().message);
  snapshots_loaded_ += recovered->snapshot != 0;
  ledger_ = std::move(recovered->ledger);
  if (hash_known_ && ledger_->state_hash() != hash_at_death_)
    oracle_.fail("the recovered state at lsn " + std::to_string(ledger_->applied()) + " is not the one that died");
  clock_ = std::make_unique<ledger::LedgerClock>(ledger::ClockOptions{}, ledger_->ledger_ms(), world_.clock.boot_ns(),
                                                 world_.clock.wall_ns());
  sets_ = std::make_unique<slo::MatchSets>();
  counters_ = std::make_unique<ledger::LedgerCounters>();
  group_ = std::make_unique<ledger::CommitGroup>(ledger_->epochs(), *sets_, *counters_, ledger::CommitOptions{},
                                                 ledger_->now(), starts_);
  const ledger::SnapshotOptions often{.every_ms = 30'000, .journal_bytes = 100'000, .slice_bytes = 2'000};
  snapshots_ =
      std::make_unique<ledger::SnapshotWriter>(often, std::move(recovered->catalog), std::move(recovered->unneeded));
  if (!journal_->start()) return oracle_.fail("the journal does not start");
  merged_.clear();
  alive_ = true;
  close_planned_ = false;
  last_ended_ = world_.clock.boot_ns();
  define();
  every(edge_ns, &Node::tick);
  every(ns_per_s, &Node::tell_slow);
}

void Node::define() {
  const auto configured = simulated_slos();
  const auto plan = ledger_->definitions().plan(configured);
  if (!plan) return oracle_.fail("definitions: " + plan.error().message);
  std::vector<slo::Rule> rules;
  for (std::size_t i = 0; i < configured.size(); ++i) rules.push_back({plan->ids[i], configured[i].sli});
  fold_ = std::make_unique<fold::BatchFold>(std::make_shared<slo::Matcher>(rules, *sets_), *sets_, fold::Options{},
                                            fold::LatePolicy{}, fold::HashSeed{starts_, 1});
  if (plan->empty()) return;
  group_->propose(plan->defines, plan->retired);
  plan_close(0);
}

void Node::every(std::int64_t ns, void (Node::*fn)()) {
  world_.after(ns, [this, ns, fn, life = starts_] {
    if (!alive_ || starts_ != life) return;
    (this->*fn)();
    every(ns, fn);
  });
}

void Node::tick() {
  if (!group_->is_in_flight() && !close_planned_) close();
}

void Node::receive(ByteView batch, std::uint64_t tag, Answered answer) {
  const auto header = wire::peek_header(batch);
  if (!header || !header->keyed) return oracle_.fail("an agent sent a header that is none");
  ledger::Submission submission;
  const UnixMs now = now_ms();
  const auto folded = fold_->fold(batch, *header, {now, now, 0}, submission.cells);
  if (!folded) return oracle_.fail("an agent sent what is not canonical: " + folded.error().field);
  std::vector<bool> taken = taken_now(oracle_.batch(tag));
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
  submission.reply_to = std::make_shared<Inbox>(*this, std::move(answer));
  auto answers = group_->submit(submission, world_.clock.boot_ns());
  // No answer yet: it waits in a group, as the first under its key or as a twin.
  if (answers.empty()) merged_.try_emplace(line.key, Merged{tag, std::move(taken)});
  if (!answers.empty()) submission.reply_to->deliver(std::move(answers));
  if (group_->anything_open() && !group_->is_in_flight())
    plan_close(ledger::commit_at(world_.clock.boot_ns(), last_ended_, 5 * ns_per_ms) - world_.clock.boot_ns());
}

// By the words of the specification: older than the longest window, or more than 10 s ahead, is not taken.
std::vector<bool> Node::taken_now(const MadeBatch& made) {
  const UnixMs now = now_ms();
  constexpr std::int64_t hour_ms = 3'600'000;
  const UnixMs oldest = now / hour_ms * hour_ms - 30 * 24 * hour_ms;
  std::vector<bool> taken;
  for (const MadeEvent& event : made.events) taken.push_back(event.at_ms >= oldest && event.at_ms <= now + 10'000);
  return taken;
}

wire::HelloAck Node::hello(std::optional<Epoch> epoch) const {
  wire::HelloAck ack;
  ack.max_frame_bytes = 1u << 20;
  ack.max_events = 1000;
  ack.window_batches = 256;
  ack.window_bytes = 1u << 20;
  ack.now = {disk_.state_id, ledger_->running_ms()};
  if (epoch) ack.epoch_known = ledger_->epochs().find(*epoch) != nullptr;
  return ack;
}

void Node::goodbye(const wire::Goodbye& goodbye) {
  if (goodbye.epoch_seen) group_->goodbye(goodbye.epoch, *goodbye.epoch_seen);
  if (group_->anything_open() && !group_->is_in_flight()) plan_close(0);
}

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
  const ledger::Record& record = group_->close(stamp.lsn, stamp.ledger_ms, stamp.running_ms);
  journal::Commit commit;
  commit.lsn = stamp.lsn;
  commit.record = ledger::encode(record);
  const auto read_back = ledger::decode_record(commit.record);
  if (!read_back || !(*read_back == record)) oracle_.fail("a record does not read back as it was written");
  snapshots_->ride(*ledger_, commit);
  journal_->commit(std::move(commit), [this](journal::CommitResult result) { commit_ended(result); });
  const std::int64_t takes =
      world_.chance(chances_.slow_commit) ? world_.between(ns_per_s, 5 * ns_per_s) : world_.between(100'000, 8'000'000);
  world_.after(takes, [this, life = starts_] {
    if (!alive_ || starts_ != life || journal_->pending() == nullptr) return;
    if (world_.chance(chances_.commit_lost)) {  // the file is not trusted again: this node has to be started anew
      return die();
    }
    journal_->finish(world_.chance(chances_.disk_full) ? journal::CommitResult::full : journal::CommitResult::durable);
  });
}

void Node::commit_ended(journal::CommitResult result) {
  snapshots_->settled(result == journal::CommitResult::durable);
  last_ended_ = world_.clock.boot_ns();
  if (result == journal::CommitResult::full) {  // rolled back: the same record again, with less beside it
    journal::Commit commit;
    commit.lsn = group_->record_in_flight().lsn;
    commit.record = ledger::encode(group_->record_in_flight());
    snapshots_->ride(*ledger_, commit);
    world_.after(50 * ns_per_ms, [this, life = starts_, again = std::make_shared<journal::Commit>(std::move(commit))] {
      if (!alive_ || starts_ != life) return;
      journal_->commit(std::move(*again), [this](journal::CommitResult ended) { commit_ended(ended); });
      journal_->finish(journal::CommitResult::durable);
    });
    return;
  }
  if (result != journal::CommitResult::durable) return;
  const ledger::Record record = group_->record_in_flight();
  ledger_->apply(record);
  applied(record);
  deliver(group_->durable());
  if (group_->anything_open()) plan_close(5 * ns_per_ms);
}

// `record` is durable, whether or not anybody will be told.
void Node::applied(const ledger::Record& record) {
  archive_[record.lsn] = ledger::encode(record);
  for (const ledger::CountedBatch& batch : record.batches) {
    const auto merged = merged_.find(batch.key);
    if (merged == merged_.end()) {
      oracle_.fail("a record holds a batch that was not merged");
      continue;
    }
    oracle_.counted(merged->second.tag, merged->second.taken, record.ledger_ms);
    merged_.erase(merged);
  }
}

void Node::deliver(std::vector<ledger::Delivery> deliveries) {
  for (ledger::Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
}

void Node::die() {
  if (!alive_) return;
  const bool reached_disk = journal_->pending() != nullptr && world_.chance(0.5);
  if (journal_->pending() != nullptr) {
    journal_->crash(reached_disk);
    if (reached_disk) {  // nobody was told, but it is there
      const ledger::Record record = group_->record_in_flight();
      ledger_->apply(record);
      applied(record);
    }
  }
  alive_ = false;
  hash_at_death_ = ledger_->state_hash();
  hash_known_ = true;
}

void Node::check_replay() {
  ledger::Ledger replayed(ledger::LedgerOptions{.state_id = disk_.state_id, .hash_seed = 99});
  for (const auto& [lsn, bytes] : archive_) {
    const auto record = ledger::decode_record(bytes);
    if (!record) return oracle_.fail("record " + std::to_string(lsn) + " cannot be read: " + record.error().message);
    replayed.apply(*record);
  }
  if (replayed.state_hash() != ledger_->state_hash()) oracle_.fail("replayed from nothing, the state is another one");
}

}  // namespace nissa::simulation
