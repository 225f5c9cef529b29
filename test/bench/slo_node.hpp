// A node without sockets and disk for slo_bench: 10 000 SLOs with their history, the real state, groups and records,
// and a judge as the ledger's will be: state and alert tiers of every SLO that changed.
#pragma once
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "bench_clock.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/ledger.hpp"
#include "slo/burn_rate.hpp"
#include "slo/slo_state.hpp"
#include "slo_history.hpp"

namespace nissa::bench {

inline constexpr std::uint32_t set_slos = 4;  // SLOs an event belongs to

// --- Judging: what it takes to know which SLOs changed for the better or the worse.
struct Tier {
  std::size_t long_window;
  std::size_t short_window;
  slo::BurnFactor factor;
};
inline constexpr Tier tiers[] = {{2, 0, {72, 5}}, {4, 1, {6, 1}}, {5, 3, {3, 1}}, {6, 4, {1, 1}}};

struct Judged {
  slo::SloState state = slo::SloState::no_data;
  std::uint8_t firing = 0;  // a bit a tier
  bool operator==(const Judged&) const = default;
};

class Judge {
 public:
  explicit Judge(const ledger::Ledger& ledger) : ledger_(ledger), last_(slo_count) {
    for (slo::SloId id = 0; id < slo_count; ++id)
      objectives_.push_back(ledger.definitions().find(id)->definition->objective);
  }
  void changed(const ledger::Record& record) {
    for (const ledger::BucketCount& count : record.counts) one(count.slo);
  }
  void all() {
    for (slo::SloId id = 0; id < slo_count; ++id) one(id);
  }
  std::uint64_t transitions() const { return transitions_; }

 private:
  void one(slo::SloId id) {
    const slo::Objective& objective = objectives_[id];
    const slo::WindowCounts sums = ledger_.block(slo::block_of(id))->window_sums(slo::lane_of(id));
    Judged now{slo::state_of(sums, sums[slo::window_30d], objective)};
    for (const Tier& tier : tiers) {
      // Both, always: what it costs in an outage.
      const bool over_long = slo::burns_faster_than(tier.factor, sums[tier.long_window], objective);
      const bool over_short = slo::burns_faster_than(tier.factor, sums[tier.short_window], objective);
      now.firing = static_cast<std::uint8_t>(now.firing << 1 | (over_long && over_short ? 1 : 0));
    }
    if (now == last_[id]) return;
    last_[id] = now;
    ++transitions_;
  }
  const ledger::Ledger& ledger_;
  std::vector<slo::Objective> objectives_;
  std::vector<Judged> last_;
  std::uint64_t transitions_ = 0;
};

// --- The node without sockets and disk.
class Silent final : public ledger::ReplyTo {
  void deliver(std::vector<ledger::Answer>) override {}
};

enum Stage { submit, close, encode, apply, judge, answer, stage_count };
inline constexpr const char* stage_names[] = {"submit", "close", "encode", "apply", "judge", "answer"};
using Seconds = std::array<double, stage_count>;

class Node {
 public:
  Node() : ledger_({.state_id = 42}) {
    build_history(ledger_, [&](const ledger::Record& record) { ledger_.apply(record); });
    group_ = std::make_unique<ledger::CommitGroup>(ledger_.epochs(), sets_, counters_, ledger::CommitOptions{},
                                                   ledger_.now());
    judge_ = std::make_unique<Judge>(ledger_);
    for (slo::SloId id = 0; id < slo_count; id += set_slos) {
      std::vector<slo::Member> members;
      for (slo::SloId one = id; one < id + set_slos; ++one) members.push_back({one, {}});
      ids_.push_back(sets_.intern(members));
    }
    judge_->all();
  }
  ledger::Ledger& ledger() { return ledger_; }
  Judge& judge_of_all() { return *judge_; }
  void pass_ms(std::int64_t ms) { now_ms_ += ms; }

  // What 64 batches of some 180 events leave: every SLO has good ones, some have bad ones, in the current bucket.
  ledger::Submission submission() {
    ledger::Submission made;
    const Bucket bucket = bucket_of(now_ms_);
    const slo::MatchSet& set = sets_.at(ids_[0]);
    const std::uint32_t good = set.event_class(slo::Outcome::ok, slo::no_duration);
    const std::uint32_t bad = set.event_class(slo::Outcome::error, slo::no_duration);
    for (const slo::MatchSetId id : ids_) {
      made.cells.push_back({slo::cell_key(id, good, bucket), 3 + static_cast<std::uint32_t>(random_() % 4)});
      if (random_() % 64 == 0) made.cells.push_back({slo::cell_key(id, bad, bucket), 1});
    }
    constexpr std::uint32_t batches = 64;
    for (std::uint32_t i = 0; i < batches; ++i) {
      ledger::BatchLine line;
      line.key = {7, Priority::normal, ++sequence_};
      line.settled_below = sequence_;
      line.print = {100, static_cast<std::uint32_t>(random_())};
      line.first_cell = static_cast<std::uint32_t>(made.cells.size() * i / batches);
      line.cell_count = static_cast<std::uint32_t>(made.cells.size() * (i + 1) / batches) - line.first_cell;
      made.lines.push_back(line);
    }
    made.epoch_seen = {42, ledger_.running_ms()};
    made.sender = sender_;
    made.reply_to = reply_;
    return made;
  }

  // One group (nullptr: a TICK), and who it changed judged; at an edge all.
  void step(const ledger::Submission* in, bool edge, Seconds& spent) {
    double before = cpu_s();
    const auto lap = [&](Stage stage) {
      const double now = cpu_s();
      spent[stage] += now - before;
      before = now;
    };
    if (in != nullptr && !group_->submit(*in, 0).empty()) std::printf("WRONG: a batch was not taken\n");
    lap(submit);
    const ledger::Stamp stamp = ledger_.next_stamp(now_ms_);
    const ledger::Record& record = *group_->close(stamp.lsn, stamp.ledger_ms, stamp.running_ms);
    lap(close);
    bytes_ = ledger::encode(record).size();
    lap(encode);
    ledger_.apply(record);
    ledger_.catch_up(ledger_.block_count());
    lap(apply);
    if (edge) {
      judge_->all();
    } else {
      judge_->changed(record);
    }
    lap(judge);
    (void)group_->durable();
    lap(answer);
  }
  std::size_t record_bytes() const { return bytes_; }

 private:
  ledger::Ledger ledger_;
  slo::MatchSets sets_;
  ledger::LedgerCounters counters_;
  std::unique_ptr<ledger::CommitGroup> group_;
  std::unique_ptr<Judge> judge_;
  std::vector<slo::MatchSetId> ids_;
  std::shared_ptr<const ledger::Sender> sender_ = std::make_shared<ledger::Sender>(ledger::Sender{"bench", "bench"});
  std::shared_ptr<ledger::ReplyTo> reply_ = std::make_shared<Silent>();
  std::mt19937_64 random_{1};
  Sequence sequence_ = 0;
  UnixMs now_ms_ = history_end_ms;
  std::size_t bytes_ = 0;
};

}  // namespace nissa::bench
