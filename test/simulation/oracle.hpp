// What must be true of a run: each batch is counted as often as its agent was told, once at the most, and every window
// of every SLO holds exactly the events of the counted batches.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/stream_types.hpp"
#include "ledger/ledger.hpp"
#include "oracle/brute_force_slo.hpp"
#include "simulation/workload.hpp"

namespace nissa::simulation {

class Oracle {
 public:
  void made(const MadeBatch& batch) { batches_[batch.tag] = {batch, std::nullopt, 0}; }
  const MadeBatch& batch(std::uint64_t tag) const { return batches_.at(tag).made; }
  std::size_t size() const { return batches_.size(); }

  // A durable record of `record_ms` holds the batch; `taken`: which of its events the fold took.
  void counted(std::uint64_t tag, const std::vector<bool>& taken, std::int64_t record_ms);
  // What its agent was told. nullopt: the agent died with it.
  void settled(std::uint64_t tag, std::optional<client::Fate> fate);

  void check_windows(const ledger::Ledger& ledger);
  // At the end: every batch's count against what its agent was told.
  void check_fates();

  const std::vector<std::string>& failures() const { return failures_; }
  void fail(const std::string& what) { failures_.push_back(what); }
  std::uint64_t counted_batches() const { return counted_; }
  std::uint64_t windows_compared() const { return compared_; }

 private:
  struct Batch {
    MadeBatch made;
    std::optional<client::Fate> fate;
    int times_counted = 0;
    bool told = false;
  };
  std::map<std::uint64_t, Batch> batches_;
  oracle::BruteForceSlo brute_;
  std::vector<std::string> failures_;
  std::uint64_t counted_ = 0;
  std::uint64_t compared_ = 0;
};

}  // namespace nissa::simulation
