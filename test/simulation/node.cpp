#include "simulation/node.hpp"

#include <algorithm>
#include <string>

namespace nissa::simulation {
namespace {

constexpr std::int64_t edge_ns = 10 * ns_per_s;

}  // namespace

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
      ack.now = EpochSeen{node_.disk_.state_id, one.running_ms};
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

Node::Node(World& world, Oracle& oracle, Chances chances, ledger::EpochLimits limits)
    : world_(world), oracle_(oracle), chances_(chances), limits_(limits) {
  limits_.memory_ms = 8 * simulated_day_ms;
  disk_.state_id = 42;
}

void Node::start() {
  ++starts_;
  journal::Opened opened = test::open_fake(disk_);
  journal_.reset(static_cast<test::FakeJournal*>(opened.journal.release()));
  const ledger::LedgerOptions options{.state_id = disk_.state_id, .epochs = limits_, .hash_seed = starts_};
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

// Some starts have another target, some do not have the last SLO: the same SLIs come back to their own histories.
void Node::define() {
  fold_.reset();
  auto configured = simulated_slos();
  configured[0].objective = *slo::Objective::parse(world_.chance(0.5) ? "99 %" : "99.9 %");
  if (world_.chance(chances_.retires)) configured.pop_back();
  configured_slos_ = configured.size();
  const auto plan = ledger_->definitions().plan(configured);
  if (!plan) return oracle_.fail("definitions: " + plan.error().message);
  rules_.clear();
  for (std::size_t i = 0; i < configured.size(); ++i) {
    if (plan->ids[i] != i) oracle_.fail("SLO " + configured[i].name + " is not what it was");
    rules_.push_back({plan->ids[i], configured[i].sli});
  }
  if (plan->empty()) return open_door();
  group_->propose(plan->defines, plan->retired);
  plan_close(0);
}

// Not before they are applied: nothing counts for an SLO that the state does not know.
void Node::open_door() {
  fold_ = std::make_unique<fold::BatchFold>(std::make_shared<slo::Matcher>(rules_, *sets_), *sets_, fold::Options{},
                                            fold::LatePolicy{}, fold::HashSeed{starts_, 1});
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

void Node::stop() {
  deliver(group_->tell_all_slow());
  die();
}

void Node::die() {
  if (!alive_) return;
  if (journal_->pending() != nullptr) {
    const bool reached_disk = world_.chance(0.5);
    journal_->crash(reached_disk);
    if (reached_disk) apply_in_flight();  // nobody was told, but it is there
  }
  alive_ = false;
  hash_at_death_ = ledger_->state_hash();
  hash_known_ = true;
  for (const auto& tell : when_it_dies_) tell();
}

void Node::check_replay() {
  const ledger::LedgerOptions options{.state_id = disk_.state_id, .epochs = limits_, .hash_seed = 99};
  ledger::Ledger replayed(options);
  for (const auto& [lsn, bytes] : archive_) {
    const auto record = ledger::decode_record(bytes);
    if (!record) return oracle_.fail("record " + std::to_string(lsn) + " cannot be read: " + record.error().message);
    replayed.apply(*record);
  }
  if (replayed.state_hash() != ledger_->state_hash()) oracle_.fail("replayed from nothing, the state is another one");
  test::FakeDisk copy = disk_;
  test::FakeJournal journal(copy);
  const auto recovered = ledger::recover(journal, copy.last_lsn, options);
  if (!recovered) return oracle_.fail("recovery failed: " + recovered.error().message);
  if (recovered->ledger->state_hash() != ledger_->state_hash())
    oracle_.fail("from a snapshot and the records after it, the state is another one");
}

}  // namespace nissa::simulation
