// What must be true of a run, at all times: each batch is counted as often as its agent was told, once at the most;
// each record holds exactly the events of its batches, by SLO and bucket; every window, lifetime and birth of every SLO
// is what a count over all events says; what was told is for ever.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/stream_types.hpp"
#include "ledger/ledger.hpp"
#include "ledger/submission.hpp"
#include "oracle/brute_force_slo.hpp"
#include "simulation/workload.hpp"

namespace nissa::simulation {

using TakenEvents = std::vector<bool>;  // which of a batch's events the fold took

// What a batch that waits in a group would count.
struct Merged {
  std::uint64_t tag = 0;
  TakenEvents taken;
  std::size_t slos = 0;  // that were configured when it was folded
};

class Oracle {
 public:
  void made(const MadeBatch& batch) { batches_[batch.tag].made = batch; }
  const MadeBatch& batch(std::uint64_t tag) const { return batches_.at(tag).made; }
  std::size_t size() const { return batches_.size(); }

  void sent(std::uint64_t tag, RunningMs now) {
    Batch& batch = batches_.at(tag);
    if (!batch.first_sent) batch.first_sent = now;
  }
  // The record is on the disk. Its batches are taken out of `merged`.
  void durable(const ledger::Record& record, std::map<BatchKey, Merged>& merged);
  // What the node said to one sending, heard or not; and whether its key is pending still.
  void answered(std::uint64_t tag, const ledger::Answer& answer, bool is_pending);
  // What its agent was told in the end. nullopt: the agent died with it.
  void settled(std::uint64_t tag, std::optional<client::Fate> fate, RunningMs now = 0);
  // So few tombstones are kept that an agent may meet the floor: then it may be uncertain at any time.
  void expect_floor() { expects_floor_ = true; }

  void check_state(const ledger::Ledger& ledger);
  // At the end: every batch's count against what its agent was told.
  void check_fates();

  const std::vector<std::string>& failures() const { return failures_; }
  void fail(const std::string& what) { failures_.push_back(what); }
  std::uint64_t counted_batches() const { return counted_; }
  std::uint64_t windows_compared() const { return compared_; }
  std::uint64_t acknowledged_batches() const { return acknowledged_; }  // once check_fates() has looked at them
  std::uint64_t uncertain_batches() const { return uncertain_; }
  std::uint64_t told_unknown() const { return disowned_.size(); }

 private:
  struct Batch {
    MadeBatch made;
    std::optional<client::Fate> fate;
    std::optional<RunningMs> first_sent;
    int times_counted = 0;
    int times_told_counted = 0;
    bool told = false;
  };
  void fail(std::uint64_t tag, const std::string& what) { fail("batch " + std::to_string(tag) + " " + what); }
  void check_window(const ledger::Ledger& ledger, std::uint32_t slo, std::size_t window);
  void check_life(const ledger::Ledger& ledger, std::uint32_t slo);

  std::map<std::uint64_t, Batch> batches_;
  std::set<BatchKey> disowned_;  // told unknown_epoch
  oracle::BruteForceSlo brute_;
  std::vector<std::string> failures_;
  std::uint64_t counted_ = 0;
  std::uint64_t compared_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t uncertain_ = 0;
  bool expects_floor_ = false;
};

}  // namespace nissa::simulation
