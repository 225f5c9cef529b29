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

class Run {
 public:
  explicit Run(const PowerCutPlan& plan)
      : plan_(plan), world_(plan.seed), disk_(world_), node_(world_, oracle_, disk_, {.retires = 0.2}, {}) {
    disk_.let_survive(plan.survival);
    disk_.disk().lie_about_syncs(plan.lies);
    if (cuts_at_random()) disk_.set_chances(at_random);
    disk_.disk().cut_at_sync(plan.at_sync);
  }

  PowerCutReport report() {
    start();
    if (holds()) live();
    if (holds()) settle();
    const std::uint64_t syncs = disk_.disk().syncs();
    if (holds()) cut_for_the_last_time();
    return {.failures = oracle_.failures(),
            .cuts = disk_.disk().cuts(),
            .starts = node_.starts(),
            .rewrites = node_.rewrites(),
            .acknowledged = oracle_.acknowledged_batches(),
            .lost_unpromised = node_.doubtful_lost(),
            .kept_unpromised = node_.doubtful_found(),
            .syncs = syncs};
  }

 private:
  bool holds() const { return oracle_.failures().empty(); }
  bool cuts_at_random() const { return plan_.at_sync == 0 && !plan_.calm; }

  void start() {
    for (int tries = 0; tries < 200 && !node_.alive() && holds(); ++tries) {
      if (tries > 0) world_.run_for(world_.between(1, 3'000) * ns_per_ms);
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
      if (cuts_at_random() && world_.chance(0.4)) node_.die();
      start();
    }
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
