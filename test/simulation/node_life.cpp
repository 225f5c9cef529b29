// Starts and deaths of a node.
#include <algorithm>
#include <string>

#include "simulation/node.hpp"

namespace nissa::simulation {
namespace {

constexpr std::int64_t edge_ns = 10 * ns_per_s;

}  // namespace

Node::Node(World& world, Oracle& oracle, NodeDisk& disk, Chances chances, ledger::EpochLimits limits)
    : world_(world), oracle_(oracle), chances_(chances), limits_(limits), disk_(disk) {
  limits_.memory_ms = 8 * simulated_day_ms;
}

void Node::start() {
  ++starts_;
  const journal::JournalStatus begun = begin();
  if (begun) return;
  if (!disk_.excuses(begun.error())) oracle_.fail("a start is refused: " + begun.error().message);
  disk_.die(std::move(journal_), std::nullopt);
}

journal::JournalStatus Node::begin() {
  auto opened = disk_.open();
  if (!opened) return std::unexpected(opened.error());
  journal_ = std::move(opened->journal);
  const ledger::LedgerOptions options{.state_id = opened->state_id, .epochs = limits_, .hash_seed = starts_};
  auto recovered = ledger::recover(*journal_, opened->last_lsn, options);
  if (!recovered) return std::unexpected(recovered.error());
  Bytes last;
  const auto read =
      journal_->read_records(std::max<ledger::Lsn>(opened->last_lsn, 1), [&](ledger::Lsn, ByteView bytes) {
        last.assign(bytes.begin(), bytes.end());
        return true;
      });
  if (!read) return read;
  if (auto started = journal_->start(); !started) return started;
  // Not earlier: what was read may have been in the page cache alone, and the power may have gone in between.
  learn(opened->last_lsn, last);
  if (ledger_ != nullptr && state_id_ != opened->state_id) oracle_.fail("the disk holds another state");
  state_id_ = opened->state_id;
  snapshots_loaded_ += recovered->snapshot != 0;
  if (ledger_ != nullptr && recovered->ledger->state_hash() != ledger_->state_hash())
    oracle_.fail("the recovered state at lsn " + std::to_string(opened->last_lsn) + " is not the one that died");
  ledger_ = std::move(recovered->ledger);
  clock_ = std::make_unique<ledger::LedgerClock>(ledger::ClockOptions{}, ledger_->ledger_ms(), world_.clock.boot_ns(),
                                                 world_.clock.wall_ns());
  sets_ = std::make_unique<slo::MatchSets>();
  counters_ = std::make_unique<ledger::LedgerCounters>();
  group_ = std::make_unique<ledger::CommitGroup>(ledger_->epochs(), *sets_, *counters_, ledger::CommitOptions{},
                                                 ledger_->now(), starts_);
  const ledger::SnapshotOptions often{.every_ms = 30'000, .journal_bytes = 100'000, .slice_bytes = 2'000};
  snapshots_ =
      std::make_unique<ledger::SnapshotWriter>(often, std::move(recovered->catalog), std::move(recovered->unneeded));
  merged_.clear();
  alive_ = true;
  close_planned_ = false;
  last_ended_ = world_.clock.boot_ns();
  define();
  every(edge_ns, &Node::tick);
  every(ns_per_s, &Node::tell_slow);
  return {};
}

// What was told durable is there; beside it one record may be that nobody was told of.
void Node::learn(ledger::Lsn last, ByteView bytes) {
  const ledger::Lsn durable = ledger_ == nullptr ? 0 : ledger_->applied();
  if (last == durable + 1) {
    const auto found = std::ranges::find_if(
        doubtful_, [&](const Doubtful& one) { return std::ranges::equal(ledger::encode(one.record), bytes); });
    if (found == doubtful_.end()) {
      oracle_.fail("record " + std::to_string(last) + " is on the disk, and nobody wrote it");
    } else {
      ++doubtful_found_;
      apply(found->record, found->merged);
    }
  } else if (last != durable) {
    oracle_.fail("the disk ends with record " + std::to_string(last) + ", durable were " + std::to_string(durable));
  } else {
    doubtful_lost_ += !doubtful_.empty();
  }
  doubtful_.clear();
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
  if (!group_->is_in_flight() && !close_planned_ && !broken_) close();
}

void Node::stop() {
  deliver(group_->tell_all_slow());
  die();
}

void Node::die() {
  if (!alive_) return;
  if (group_->is_in_flight()) doubt(group_->record_in_flight());
  disk_.die(std::move(journal_), std::move(under_way_));
  under_way_.reset();
  rewriter_.reset();
  broken_ = false;
  alive_ = false;
  for (const auto& tell : when_it_dies_) tell();
}

void Node::check_replay() {
  const ledger::LedgerOptions options{.state_id = state_id_, .epochs = limits_, .hash_seed = 99};
  ledger::Ledger replayed(options);
  for (const auto& [lsn, bytes] : archive_) {
    const auto record = ledger::decode_record(bytes);
    if (!record) return oracle_.fail("record " + std::to_string(lsn) + " cannot be read: " + record.error().message);
    replayed.apply(*record);
  }
  if (replayed.state_hash() != ledger_->state_hash()) oracle_.fail("replayed from nothing, the state is another one");
}

}  // namespace nissa::simulation
