// The inside of ledger_component: its strand's state, and the verbs that the sources beside this header define.
// ledger_loop.cpp: what is due, a commit and what becomes of it, the end. ledger_rewrite.cpp: the state into a new
// file. ledger_intake.cpp: what comes in. Thread statement: everything on the strand, but for what is marked otherwise.
#pragma once
#include <atomic>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "async/latch.hpp"
#include "async/parked.hpp"
#include "async/parking.hpp"
#include "async/strand.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/ledger_component.hpp"
#include "ledger/snapshot_writer.hpp"
#include "ledger/state_rewriter.hpp"
#include "ledger/trouble_log.hpp"

namespace nissa::ledger {

inline constexpr BootNs never = std::numeric_limits<BootNs>::max();

// A default that does no harm, for a coroutine that is woken without an answer.
struct Defined {
  Result<std::vector<slo::SloId>> ids = failure("the ledger has stopped");
};

struct LedgerComponent::Inside {
  Inside(EventLoop& loop, Timers& timers_in, const Clock& clock_in, journal::Journal& journal_in,
         const slo::MatchSets& sets, const Options& options_in, std::uint64_t state, Recovered recovered,
         std::uint64_t hash_seed);

  // --- One loop: what is due next, and the wait for it.
  Task<void> run();

  // --- When.
  BootNs commit_due(BootNs now) NISSA_REQUIRES(strand);
  // The next 10 s edge of ledger time, as the boot clock will show it.
  BootNs tick_due(BootNs now) NISSA_REQUIRES(strand);
  ClockReading read_clock() NISSA_REQUIRES(strand);

  // --- A commit and what becomes of it.
  void next_commit() NISSA_REQUIRES(strand);
  void committed(journal::CommitResult result) NISSA_REQUIRES(strand);
  void publish() NISSA_REQUIRES(strand);
  void tell_slow(BootNs now) NISSA_REQUIRES(strand);
  // --- The state into a new file: after a commit of unknown fate, and once when the disk runs short of room.
  BootNs rewrite_due(BootNs now) NISSA_REQUIRES(strand);
  void next_piece() NISSA_REQUIRES(strand);
  void rewritten(journal::CommitResult result) NISSA_REQUIRES(strand);
  void give_up_rewrite() NISSA_REQUIRES(strand);
  void take_over() NISSA_REQUIRES(strand);
  // Has the disk run short of room, or has it room again?
  void heed_room() NISSA_REQUIRES(strand);
  void refuse_if_full() NISSA_REQUIRES(strand);
  static void tell(std::vector<Delivery> deliveries);

  // --- What comes in.
  void take(Submission submission) NISSA_REQUIRES(strand);
  void place(const Submission& submission) NISSA_REQUIRES(strand);
  void place_held(const Submission& submission) NISSA_REQUIRES(strand);
  // The open group is empty again, or refuses.
  void let_in() NISSA_REQUIRES(strand);

  // False: there was no room for it.
  bool say_goodbye(Epoch epoch, const EpochSeen& seen) NISSA_REQUIRES(strand);
  bool goodbye_open(Epoch epoch) NISSA_REQUIRES(strand);
  void answer_goodbyes() NISSA_REQUIRES(strand);

  void define_next() NISSA_REQUIRES(strand);
  void answer_definitions() NISSA_REQUIRES(strand);

  // A pass that has begun may have left behind what its newest readers want to see: they wait for the next one.
  void refresh_page() NISSA_REQUIRES(strand);

  // --- The end.
  bool at_rest() const NISSA_REQUIRES(strand);
  void finish_drain() NISSA_REQUIRES(strand);
  void refuse_all() NISSA_REQUIRES(strand);
  void leave() NISSA_REQUIRES(strand);

  struct Goodbye {
    Epoch epoch;
    Parked<bool> parked;
  };
  struct Definition {
    std::vector<slo::Definition> configured;
    Parked<Defined> parked;
    std::vector<slo::SloId> ids;
    bool proposed = false;
  };
  struct Drain {
    BootNs deadline;
    Parked<bool> parked;
  };

  const Strand strand;
  Timers& timers;
  const Clock& clock;
  journal::Journal& journal;
  const Options options;
  const std::uint64_t state_id;

  // Any thread.
  LedgerCounters counters;
  std::atomic<RunningMs> running_ms{0};
  std::atomic<std::int64_t> clock_offset_ns{0};  // ledger time − boot clock
  std::atomic<UnixMs> standing_ms{0};            // not 0: ledger time stands here
  std::atomic<bool> full{false};                 // submissions are held

  const std::unique_ptr<Ledger> ledger NISSA_PT_GUARDED_BY(strand);
  LedgerClock ledger_clock NISSA_GUARDED_BY(strand);
  SnapshotWriter writer NISSA_GUARDED_BY(strand);
  CommitGroup group NISSA_GUARDED_BY(strand);
  TroubleLog trouble NISSA_GUARDED_BY(strand);
  Parking idle NISSA_GUARDED_BY(strand){strand};
  BootNs last_ended NISSA_GUARDED_BY(strand) = 0;
  std::optional<BootNs> retry_at NISSA_GUARDED_BY(strand);  // the record in flight met a full disk
  bool committing NISSA_GUARDED_BY(strand) = false;         // the journal has it
  bool lagging NISSA_GUARDED_BY(strand) = true;             // blocks are behind ledger time
  bool broken NISSA_GUARDED_BY(strand) = false;             // a commit's fate is unknown: only a new file leads on
  std::optional<StateRewriter> rewriter NISSA_GUARDED_BY(strand);
  bool last_piece NISSA_GUARDED_BY(strand) = false;          // the journal has it
  BootNs rewrite_at NISSA_GUARDED_BY(strand) = 0;            // while broken: the next attempt
  bool short_of_room NISSA_GUARDED_BY(strand) = false;       // as the journal saw it last
  bool wants_smaller_file NISSA_GUARDED_BY(strand) = false;  // once each time that room runs short
  bool stopping NISSA_GUARDED_BY(strand) = false;
  bool stopped NISSA_GUARDED_BY(strand) = false;
  std::deque<Submission> held NISSA_GUARDED_BY(strand);
  std::vector<Parked<bool>> rooms NISSA_GUARDED_BY(strand);
  std::vector<Goodbye> goodbyes NISSA_GUARDED_BY(strand);
  std::deque<Definition> definitions NISSA_GUARDED_BY(strand);  // the first may be proposed, the others wait for it
  LedgerPages pages;                                            // refresh_one() on the strand, current() anywhere
  std::vector<Parked<bool>> readers NISSA_GUARDED_BY(strand);   // who waits for the pass under way
  std::vector<Parked<bool>> readers_of_next NISSA_GUARDED_BY(strand);
  std::optional<Drain> drain NISSA_GUARDED_BY(strand);
  Latch ended;
};

}  // namespace nissa::ledger
