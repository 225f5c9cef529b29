// From the bytes of a batch to what it adds to the budgets: walk, prove, recognise, count.
//
// One BatchFold a fold lane (a thread that folds): it holds that lane's memory of identities and its tally. Pure: time
// comes in, nothing is called, nothing waits. Cost: about 30 ns an event whose identity is remembered, 0.8 us where it
// is new, whatever the number of SLOs; but a new identity is held against every SLO whose service is a glob (5 - 20 ns
// each). So a batch of 1 000 new identities takes a millisecond, more with many such SLOs: --check-config should warn.
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/counter.hpp"
#include "base/refusal.hpp"
#include "base/time_types.hpp"
#include "fold/cell_tally.hpp"
#include "fold/late_policy.hpp"
#include "fold/match_memo.hpp"
#include "fold/options.hpp"
#include "fold/unmatched_identities.hpp"
#include "slo/cell.hpp"
#include "slo/match_set.hpp"
#include "slo/matcher.hpp"
#include "wire/event_walk.hpp"
#include "wire/header_peek.hpp"
#include "wire/malformed.hpp"

namespace nissa::fold {

// Ours, as of now, and the agent's clock.
struct FoldContext {
  UnixMs ledger_now_ms = 0;
  UnixMs arrival_ms = 0;     // when the batch's header was read, in ledger time: for events without a time
  std::int64_t skew_ns = 0;  // ClockSkew::shift_ns()
};

// Of a batch's events: accepted + late + the sum of rejected = all.
struct Folded {
  std::uint32_t accepted = 0;
  std::uint32_t late = 0;                                   // too old for every window; not repeated in `rejected`
  std::array<std::uint16_t, event_fault_count> rejected{};  // index: EventFault - 1
  // Of the accepted ones:
  std::uint32_t unmatched = 0;       // no SLO wants them
  std::uint32_t fanout_dropped = 0;  // times that an SLO beyond an event's first 64 was not counted
  // Proven and counted, nothing else: what they mean is the caller's to know (or to refuse: then drop the cells).
  std::uint32_t metrics = 0;
  std::uint32_t alerts = 0;
};

class BatchFold {
 public:
  // `sets` is the registry that the matcher was made over, and outlives this.
  BatchFold(std::shared_ptr<const slo::Matcher> matcher, const slo::MatchSets& sets, const Options& options,
            const LatePolicy& late, HashSeed seed);

  // `batch` from its first byte to its last (as sent, inflated); `header` peeked from it, its event_count checked.
  // Appends the batch's cells, each key once, to `cells`. All or nothing: after Malformed `cells` is as it was. The
  // reason no_room: nothing is wrong with the batch, there was no memory for it; it may come again.
  std::expected<Folded, wire::Malformed> fold(ByteView batch, const wire::BatchHeader& header,
                                              const FoldContext& context, std::vector<slo::Cell>& cells);

  // New rules: the memory of identities starts anew.
  void set_matcher(std::shared_ptr<const slo::Matcher> matcher);

  struct Counters {
    Counter looked_up;          // identities of events
    Counter missed;             // of these, those that were proven and matched
    Counter remembered;         // now
    Counter memo_bytes;         // now
    Counter brought_into_form;  // batches that `semantic` mode had to re-encode
  };
  // Any thread.
  const Counters& counters() const { return counters_; }
  // Of accepted events, or of those that would have been, were their times good.
  const UnmatchedIdentities& unmatched() const { return unmatched_; }
  const slo::MatchSets& sets() const { return sets_; }

 private:
  struct Step;  // a few events at a time
  std::expected<Folded, wire::Malformed> fold_any(ByteView batch, const wire::BatchHeader& header,
                                                  const FoldContext& context, std::vector<slo::Cell>& cells);
  std::expected<Folded, wire::Malformed> fold_strict(ByteView batch, const wire::BatchHeader& header,
                                                     const FoldContext& context, std::vector<slo::Cell>& cells);
  bool count_step(const Step& step, const CountedTimes& times, Bucket arrival, Folded& folded);
  std::optional<std::uint64_t> cell_key_of(const wire::EventView& event, Known known, const CountedTimes& times,
                                           Bucket arrival, Folded& folded) const;
  std::optional<Known> learn(std::uint64_t hash, ByteView identity);
  Known judge(const wire::Identity& identity) const;

  std::shared_ptr<const slo::Matcher> matcher_;
  const slo::MatchSets& sets_;
  Options options_;
  LatePolicy late_;
  MatchMemo memo_;
  CellTally tally_;
  UnmatchedIdentities unmatched_;
  std::uint64_t misses_ = 0;
  UnixMs now_ms_ = 0;  // ledger time of the batch
  Counters counters_;
};

}  // namespace nissa::fold
