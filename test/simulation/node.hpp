// A whole server in simulation: the real fold, groups, records, state, snapshots and recovery, over a disk that loses
// what was not durable when the machine dies. Only sockets and threads are missing, and on the fake disk SQLite.
//
// node.cpp: what comes in. node_life.cpp: starts and deaths. node_commits.cpp: groups, and what the disk makes of them.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "fold/batch_fold.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "ledger/state_rewriter.hpp"
#include "simulation/node_disk.hpp"
#include "simulation/oracle.hpp"
#include "simulation/world.hpp"
#include "wire/messages.hpp"

namespace nissa::simulation {

class Node {
 public:
  struct Chances {
    double slow_commit = 0;  // a commit takes seconds
    double retires = 0;      // a start is configured without the last SLO
  };
  // `disk` outlives it.
  Node(World& world, Oracle& oracle, NodeDisk& disk, Chances chances, ledger::EpochLimits limits);

  // A batch as it came over the network. `answer` is called once, or never when the node dies first.
  using Answered = std::function<void(const wire::Ack&)>;
  void receive(ByteView batch, std::uint64_t tag, Answered answer);
  wire::HelloAck hello(std::optional<Epoch> epoch) const;
  void goodbye(const wire::Goodbye& goodbye);
  EpochSeen now() const { return {state_id_, ledger_->running_ms()}; }

  bool alive() const { return alive_; }
  // Its definitions are in the state: the door is open.
  bool serves() const { return alive_ && fold_ != nullptr; }
  // The power goes, or the process is killed: memory is gone, and of the disk, it may be, what was not durable.
  void die();
  // It may die in its midst, and is not alive then.
  void start();
  // SIGTERM: what comes is refused from now on; what waits has until stop().
  void drain() { group_->refuse_new(Reason::shutting_down); }
  void stop();
  void when_it_dies(std::function<void()> fn) { when_it_dies_.push_back(std::move(fn)); }
  void set_chances(const Chances& chances) { chances_ = chances; }

  // Once there was a start that got through.
  const ledger::Ledger& ledger() const { return *ledger_; }
  // From nothing, by all records ever made durable: the same state as now. (That the disk gives it back, each start
  // checks.)
  void check_replay();

  std::uint64_t starts() const { return starts_; }
  std::uint64_t records() const { return archive_.size(); }
  std::uint64_t snapshots_loaded() const { return snapshots_loaded_; }
  std::uint64_t failed_commits() const { return failed_commits_; }
  std::uint64_t rewrites() const { return rewrites_; }
  // Groups that nobody was told durable: those that a start found, and those that it did not.
  std::uint64_t doubtful_found() const { return doubtful_found_; }
  std::uint64_t doubtful_lost() const { return doubtful_lost_; }
  std::uint64_t epochs_forgotten() const { return epochs_forgotten_; }

 private:
  class Inbox;
  // A record whose fate nobody knows, and what its batches would count.
  struct Doubtful {
    ledger::Record record;
    std::map<BatchKey, Merged> merged;
  };

  journal::JournalStatus begin();
  void learn(ledger::Lsn last, ByteView bytes);
  void define();
  void open_door();
  void every(std::int64_t ns, void (Node::*fn)());
  void tick();
  void tell_slow() { deliver(group_->tell_slow(world_.clock.boot_ns())); }
  UnixMs now_ms() { return clock_->read(world_.clock.boot_ns(), world_.clock.wall_ns()).now_ms; }
  TakenEvents taken_now(const MadeBatch& made);

  void plan_close(std::int64_t after_ns);
  void close();
  void hand_over();
  void end_commit();
  void commit_ended(journal::CommitResult result);
  void fail_group();
  void plan_rewrite(std::int64_t after_ns);
  void rewrite_piece();
  void take_over();
  void doubt(const ledger::Record& record);
  void apply(const ledger::Record& record, std::map<BatchKey, Merged>& merged);
  void deliver(std::vector<ledger::Delivery> deliveries);

  World& world_;
  Oracle& oracle_;
  Chances chances_;
  ledger::EpochLimits limits_;
  NodeDisk& disk_;
  std::uint64_t state_id_ = 0;
  std::map<ledger::Lsn, Bytes> archive_;  // every durable record, trimmed or not
  std::vector<std::function<void()>> when_it_dies_;

  // One life of the process.
  bool alive_ = false;
  std::uint64_t starts_ = 0;
  std::uint64_t snapshots_loaded_ = 0;
  std::uint64_t failed_commits_ = 0;
  std::uint64_t rewrites_ = 0;
  std::uint64_t doubtful_found_ = 0;
  std::uint64_t doubtful_lost_ = 0;
  std::uint64_t epochs_forgotten_ = 0;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<ledger::Ledger> ledger_;  // of a dead node: as of all that was told durable
  std::unique_ptr<ledger::LedgerClock> clock_;
  std::unique_ptr<slo::MatchSets> sets_;
  std::unique_ptr<fold::BatchFold> fold_;  // once the definitions are applied
  std::vector<slo::Rule> rules_;
  std::size_t configured_slos_ = 0;
  std::unique_ptr<ledger::LedgerCounters> counters_;
  std::unique_ptr<ledger::CommitGroup> group_;
  std::unique_ptr<ledger::SnapshotWriter> snapshots_;
  std::map<BatchKey, Merged> merged_;  // what the batches that wait in a group would count
  bool close_planned_ = false;
  BootNs last_ended_ = 0;
  std::optional<journal::Commit> under_way_;
  bool broken_ = false;  // a commit failed: nothing is committed before a new file has taken over
  std::optional<ledger::StateRewriter> rewriter_;
  std::vector<Doubtful> doubtful_;
};

}  // namespace nissa::simulation
