#include "simulation/power_cut_run.hpp"

#include <memory>

#include "simulation/agent.hpp"
#include "simulation/node.hpp"
#include "simulation/sqlite_node_disk.hpp"

namespace nissa::simulation {
namespace {

constexpr int rounds = 3;
constexpr NetworkChances network{.lost = 0.1, .doubled = 0.2, .late_copy = 0.05, .cut = 0.02, .hangs = 0.2};
constexpr NodeDisk::Chances at_random{.cut = 0.06, .start_cut = 0.4, .kills = 0.2, .failed = 0.01, .full = 0.02};

constexpr std::int64_t edge_ns = 10 * ns_per_s;  // a commit at least so often

class Run {
 public:
  explicit Run(const PowerCutPlan& plan)
      : plan_(plan), world_(plan.seed), disk_(world_), node_(world_, oracle_, disk_, {.retires = 0.2}, {}) {
    disk_.let_survive(plan.survival);
    if (plan.at_random) disk_.set_chances(at_random);
    if (plan.deaths > 0) disk_.set_chances({.kills = 0.5});
    test::PowerCutDisk& disk = disk_.disk();
    disk.lie_about_syncs(plan.lies);
    disk.cut_at_sync(plan.cut_at_sync);
    if (plan.fail_at_sync > 0)
      disk.fail_sync("", plan.fail_at_sync, test::io_fsync, plan.failing_syncs, plan.aftermath);
  }

  PowerCutReport report() {
    PowerCutReport report;
    test::PowerCutDisk& disk = disk_.disk();
    start();
    report.syncs_of_start = disk.syncs();
    if (holds()) live();
    if (holds()) suffer();
    report.syncs_of_life = disk.syncs();
    report.failed_to_sync = disk.failed_to_sync();
    const std::uint64_t until_failure = disk.operations() - disk.operations_since_failure();
    if (holds()) settle();
    report.syncs = disk.syncs();
    report.operations_since = disk.operations() - until_failure;
    if (holds() && plan_.fail_at_sync > report.syncs_of_start) check_move(report.failed_to_sync);
    if (holds()) cut_for_the_last_time();
    report.failures = oracle_.failures();
    report.cuts = disk.cuts();
    report.starts = node_.starts();
    report.rewrites = node_.rewrites();
    report.failed_groups = node_.failed_commits();
    report.acknowledged = oracle_.acknowledged_batches();
    report.lost_unpromised = node_.doubtful_lost();
    report.kept_unpromised = node_.doubtful_found();
    return report;
  }

 private:
  bool holds() const { return oracle_.failures().empty(); }

  void start() {
    for (int tries = 0; tries < 200 && !node_.alive() && holds(); ++tries) {
      if (tries > 0) world_.run_for(world_.between(1, 3'000) * ns_per_ms);
      if (tries == 100) disk_.set_chances({});  // somebody has mended the disk
      node_.start();
    }
    if (!node_.alive() && holds()) oracle_.fail("no start gets through");
    if (holds()) oracle_.check_state(node_.ledger());
  }

  void live() {
    for (const Priority priority : {Priority::normal, Priority::critical})
      agents_.push_back(std::make_unique<Agent>(world_, oracle_, node_, priority, network));
    for (int round = 0; round < rounds && holds(); ++round) {
      for (auto& agent : agents_) agent->make_batches(static_cast<std::uint32_t>(world_.between(1, 8)));
      world_.run_for(world_.between(1, 500) * ns_per_ms);
      if (world_.chance(plan_.at_random ? 0.4 : plan_.deaths)) node_.die();
      start();
    }
  }

  // The disk goes on to fail: nothing becomes durable, and the node lives.
  void suffer() {
    if (plan_.failing_syncs != all_syncs || disk_.disk().failed_to_sync().empty()) return;
    const std::uint64_t records = node_.records();
    const std::uint64_t starts = node_.starts();
    world_.run_for(2 * edge_ns);
    if (node_.records() != records) oracle_.fail("a record is durable on a disk that fails each sync");
    if (!node_.alive() || node_.starts() != starts) oracle_.fail("a disk that fails each sync has killed the node");
  }

  void settle() {
    disk_.set_chances({});
    for (auto& agent : agents_) agent->set_chances({});
    for (int i = 0; i < 200 && !all_settled() && holds(); ++i) {
      world_.run_for(5 * ns_per_s);
      start();
    }
    if (!all_settled()) oracle_.fail("agents did not settle though nothing failed any more");
  }
  bool all_settled() const {
    for (const auto& agent : agents_)
      if (!agent->settled()) return false;
    return true;
  }

  // A sync failed while the node served: it lives on, and in another file if this one cannot be trusted.
  void check_move(const std::string& failed_to_sync) {
    if (plan_.cut_at_sync > 0 || plan_.aftermath.cut_at_operation > 0 || plan_.deaths > 0) return;
    world_.run_for(2 * edge_ns);
    if (node_.starts() != 1) oracle_.fail("the node did not live on");
    if (failed_to_sync.contains(".db") && node_.rewrites() == 0)
      oracle_.fail(failed_to_sync + " was not synced once, and is in use");
  }

  void cut_for_the_last_time() {
    disk_.let_survive(test::Survival::nothing);
    node_.die();
    start();
    oracle_.check_fates();
    node_.check_replay();
  }

  const PowerCutPlan plan_;
  World world_;
  Oracle oracle_;
  SqliteNodeDisk disk_;
  Node node_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

}  // namespace

PowerCutReport run_power_cuts(const PowerCutPlan& plan) { return Run(plan).report(); }

}  // namespace nissa::simulation
