// A whole server in simulation: the real fold, groups, records, state, snapshots and recovery, over a disk that loses
// what was not durable when the machine dies. Only sockets, threads and SQLite are missing.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "fold/batch_fold.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "simulation/oracle.hpp"
#include "simulation/world.hpp"
#include "support/fake_journal.hpp"
#include "wire/messages.hpp"

namespace nissa::simulation {

class Node {
 public:
  struct Chances {
    double commit_lost = 0;  // a commit ends with fate unknown: the node restarts, and it may be there or not
    double disk_full = 0;    // a commit meets a full disk
    double slow_commit = 0;  // a commit takes seconds
  };
  Node(World& world, Oracle& oracle, Chances chances);

  // A batch as it came over the network. `answer` is called once, or never when the node dies first.
  using Answered = std::function<void(const wire::Ack&)>;
  void receive(ByteView batch, std::uint64_t tag, Answered answer);
  wire::HelloAck hello(std::optional<Epoch> epoch) const;
  void goodbye(const wire::Goodbye& goodbye);

  bool alive() const { return alive_; }
  // As by a power cut: memory is gone, and of the disk what was not durable.
  void die();
  void start();
  void set_chances(const Chances& chances) { chances_ = chances; }

  const ledger::Ledger& ledger() const { return *ledger_; }
  // From nothing, by all records ever made durable: the same state as now.
  void check_replay();

  std::uint64_t starts() const { return starts_; }
  std::uint64_t records() const { return archive_.size(); }
  std::uint64_t snapshots_loaded() const { return snapshots_loaded_; }

 private:
  // What a batch that waits in a group would count.
  struct Merged {
    std::uint64_t tag = 0;
    std::vector<bool> taken;
  };
  class Inbox;

  void define();
  void plan_close(std::int64_t after_ns);
  void close();
  void commit_ended(journal::CommitResult result);
  void applied(const ledger::Record& record);
  void deliver(std::vector<ledger::Delivery> deliveries);
  void tick();
  void every(std::int64_t ns, void (Node::*fn)());
  void tell_slow() { deliver(group_->tell_slow(world_.clock.boot_ns())); }
  UnixMs now_ms() { return clock_->read(world_.clock.boot_ns(), world_.clock.wall_ns()).now_ms; }
  std::vector<bool> taken_now(const MadeBatch& made);

  World& world_;
  Oracle& oracle_;
  Chances chances_;
  test::FakeDisk disk_;
  std::map<ledger::Lsn, Bytes> archive_;  // every durable record, trimmed or not

  // One life of the process.
  bool alive_ = false;
  std::uint64_t starts_ = 0;
  std::uint64_t snapshots_loaded_ = 0;
  std::unique_ptr<test::FakeJournal> journal_;
  std::unique_ptr<ledger::Ledger> ledger_;
  std::unique_ptr<ledger::LedgerClock> clock_;
  std::unique_ptr<slo::MatchSets> sets_;
  std::unique_ptr<fold::BatchFold> fold_;
  std::unique_ptr<ledger::LedgerCounters> counters_;
  std::unique_ptr<ledger::CommitGroup> group_;
  std::unique_ptr<ledger::SnapshotWriter> snapshots_;
  std::map<BatchKey, Merged> merged_;
  bool close_planned_ = false;
  BootNs last_ended_ = 0;
  std::uint64_t hash_at_death_ = 0;  // of the state that the disk must give back
  bool hash_known_ = false;
};

}  // namespace nissa::simulation
