#include "simulation/run.hpp"

#include <algorithm>
#include <memory>

#include "simulation/agent.hpp"
#include "simulation/node.hpp"
#include "simulation/sqlite_node_disk.hpp"

namespace nissa::simulation {
namespace {

constexpr std::int64_t day_ns = 86'400 * ns_per_s;
constexpr std::int64_t settle_step_ns = 10 * ns_per_s;
constexpr int faults = 20;

struct Swarm {
  NetworkChances network;
  NodeDisk::Chances disk;
  Node::Chances node;
  ledger::EpochLimits limits;
  bool expects_floor = false;
  double agent_dies = 0;
  double bursts = 0;  // of more than a window
  double clock_steps = 0;
  double rests = 0;          // quiet, but running, for simulated days: epochs are forgotten
  double sleeps = 0;         // the same for real hours: counts roll off
  double down_for_days = 0;  // not running: real days, none of them measured
  double stops = 0;          // SIGTERM instead of a power cut
};

Swarm draw(World& world) {
  const auto up_to = [&](double most) { return std::uniform_real_distribution<>(0, most)(world.random); };
  Swarm swarm;
  swarm.network = {.lost = world.chance(0.2) ? 0 : up_to(0.3),
                   .doubled = up_to(0.5),
                   .late_copy = world.chance(0.5) ? up_to(0.1) : 0,
                   .cut = up_to(0.02),
                   .hangs = up_to(1)};
  swarm.disk = {.cut = up_to(0.01),
                .start_cut = up_to(0.5),
                .kills = up_to(0.5),
                .failed = world.chance(0.5) ? up_to(0.05) : 0,
                .full = up_to(0.1)};
  swarm.node = {.slow_commit = up_to(0.02), .retires = world.chance(0.5) ? up_to(0.5) : 0};
  // Room for a few epochs only, or for a few tombstones.
  if (world.chance(0.1)) swarm.limits.bytes = static_cast<std::size_t>(world.between(20'000, 60'000));
  if (world.chance(0.1)) swarm.limits.principal_percent = 100;
  swarm.expects_floor = world.chance(0.2);
  if (swarm.expects_floor)
    swarm.limits.tombstone_bytes = static_cast<std::size_t>(world.between(0, 4)) * ledger::Tombstones::bytes_each;
  swarm.agent_dies = up_to(0.3);
  swarm.bursts = world.chance(0.5) ? up_to(0.3) : 0;
  swarm.clock_steps = world.chance(0.3) ? up_to(0.3) : 0;
  swarm.rests = world.chance(0.8) ? up_to(0.5) : 0;
  swarm.sleeps = world.chance(0.1) ? 0.1 : 0;
  swarm.down_for_days = world.chance(0.2) ? 0.1 : 0;
  swarm.stops = up_to(0.5);
  return swarm;
}

std::unique_ptr<NodeDisk> make_disk(World& world, DiskKind kind) {
  if (kind == DiskKind::fake) return std::make_unique<FakeNodeDisk>(world);
  auto disk = std::make_unique<SqliteNodeDisk>(world);
  disk->begin_birth(42);  // an id of the disk's own choice would make each trace another
  return disk;
}

class Run {
 public:
  Run(std::uint64_t seed, DiskKind kind)
      : world_(seed),
        swarm_(draw(world_)),
        disk_(make_disk(world_, kind)),
        node_(world_, oracle_, *disk_, swarm_.node, swarm_.limits) {
    if (swarm_.expects_floor) oracle_.expect_floor();
    node_.start();
    disk_->set_chances(swarm_.disk);
    world_.run_for(ns_per_s);
    const Priority classes[] = {Priority::normal, Priority::high, Priority::critical, Priority::low};
    const std::int64_t agents = world_.between(1, 4);
    for (std::int64_t i = 0; i < agents; ++i)
      agents_.push_back(std::make_unique<Agent>(world_, oracle_, node_, classes[i], swarm_.network));
  }

  RunReport report() {
    for (int i = 0; i < faults && oracle_.failures().empty(); ++i) fault();
    if (oracle_.failures().empty()) settle();
    RunReport report;
    report.failures = oracle_.failures();
    report.batches = oracle_.size();
    report.counted = oracle_.counted_batches();
    report.uncertain = oracle_.uncertain_batches();
    report.told_unknown = oracle_.told_unknown();
    report.records = node_.records();
    report.starts = node_.starts();
    report.snapshots_loaded = node_.snapshots_loaded();
    report.failed_commits = node_.failed_commits();
    report.rewrites = node_.rewrites();
    report.epochs_forgotten = node_.epochs_forgotten();
    report.windows_compared = oracle_.windows_compared();
    report.trace = node_.ledger().state_hash();
    return report;
  }

 private:
  void fault() {
    for (auto& agent : agents_)
      agent->make_batches(
          static_cast<std::uint32_t>(world_.chance(swarm_.bursts) ? world_.between(100, 700) : world_.between(0, 60)));
    if (world_.chance(0.3)) {
      world_.run_for(world_.between(0, 200) * ns_per_ms);  // into the middle of what was just begun
    } else {
      world_.run_for(world_.between(1, 20) * ns_per_s);
    }
    if (world_.chance(swarm_.agent_dies))
      agents_[static_cast<std::size_t>(world_.between(0, static_cast<std::int64_t>(agents_.size()) - 1))]->die();
    if (world_.chance(swarm_.clock_steps)) world_.clock.step_wall(world_.between(-3'600, 86'400) * ns_per_s);
    if (world_.chance(swarm_.rests)) world_.run_for(world_.between(1, 16 * simulated_day_ms) * ns_per_ms);
    if (world_.chance(swarm_.sleeps)) world_.run_for(world_.between(1, 6 * 3'600) * ns_per_s);
    if (node_.alive()) oracle_.check_state(node_.ledger());
    if (world_.chance(0.7)) end_node();
    if (world_.chance(swarm_.down_for_days)) world_.run_for(world_.between(1, 20) * day_ns / 10);
    if (!node_.alive()) {
      world_.run_for(world_.between(0, 40) * ns_per_s);
      start_node();
    }
  }

  void end_node() {
    if (node_.alive() && world_.chance(swarm_.stops)) {
      node_.drain();
      world_.run_for(world_.between(0, 3'000) * ns_per_ms);
      if (node_.alive()) node_.stop();
    }
    node_.die();
  }

  void start_node() {
    node_.start();
    if (node_.alive() && oracle_.failures().empty()) oracle_.check_state(node_.ledger());
  }

  // Nothing fails any more: all must settle, and the books must be exact.
  void settle() {
    node_.set_chances({});
    disk_->set_chances({});
    for (auto& agent : agents_) agent->set_chances({});
    // Where there is no room for streams, agents wait until one is forgotten; and a wall clock that was set back holds
    // the ledger's time before a start until it has come as far again.
    const std::int64_t held_ns = node_.ledger().ledger_ms() * ns_per_ms - world_.clock.wall_ns();
    const std::int64_t tries = 200 + std::max<std::int64_t>(held_ns, 0) / settle_step_ns;
    for (std::int64_t i = 0; i < tries && !all_settled() && oracle_.failures().empty(); ++i) {
      world_.run_for(settle_step_ns);
      if (!node_.alive() && oracle_.failures().empty()) start_node();
    }
    if (!oracle_.failures().empty()) return;
    if (!all_settled()) return oracle_.fail("agents did not settle though nothing failed any more");
    world_.run_for(30 * ns_per_s);
    oracle_.check_state(node_.ledger());
    oracle_.check_fates();
    node_.check_replay();
    node_.die();
    start_node();
  }
  bool all_settled() const {
    for (const auto& agent : agents_)
      if (!agent->settled()) return false;
    return true;
  }

  World world_;
  Oracle oracle_;
  Swarm swarm_;
  std::unique_ptr<NodeDisk> disk_;
  Node node_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

}  // namespace

RunReport run_seed(std::uint64_t seed, DiskKind disk) { return Run(seed, disk).report(); }

}  // namespace nissa::simulation
