// The owner of the counts: the strand on which groups are filled, closed, committed and applied.
//
// Place in the flow: sessions submit folded batches, one post a read chunk; the journal makes a group durable on its
// own thread and posts back; here the record is applied and each connection is told once. Beside that: a TICK record at
// each 10 s edge of ledger time without a group, a slice of the snapshot with each commit, journal_slow for who waits
// too long.
//
// Thread statement: start() and async_stop() once; everything else from any thread; what is asked comes back on the
// caller's executor. Bounds: the open group takes CommitOptions::group_bytes; what comes beyond is kept until it
// closes, so await async_room() before reading more (one chunk a session may be kept).
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"
#include "ledger/ledger_clock.hpp"
#include "ledger/ledger_counters.hpp"
#include "ledger/ledger_pages.hpp"
#include "ledger/options.hpp"
#include "ledger/recovery.hpp"
#include "ledger/stream_list.hpp"
#include "ledger/submission.hpp"
#include "slo/definition.hpp"
#include "slo/match_set.hpp"

namespace nissa::ledger {

class LedgerComponent {
 public:
  // All outlive it. `recovered` is what recover() gave (or a new state's); the journal is started before start().
  LedgerComponent(EventLoop& loop, Timers& timers, const Clock& clock, journal::Journal& journal,
                  const slo::MatchSets& sets, const Options& options, std::uint64_t state_id, Recovered recovered,
                  std::uint64_t hash_seed);
  ~LedgerComponent();

  void start();

  // --- The flow.
  // The answers go to submission.reply_to: some of them before the group, the others when its fate is known. Returns at
  // once.
  void submit(Submission submission);
  // Whether the open group takes submissions: true, nearly always. One load.
  bool has_room() const;
  // Returns when it does.
  Task<void> async_room();

  // --- The life of an epoch.
  // true: nothing of this epoch will be counted any more, durably. false: not known (no room,
  // 1 024 wait already, failing journal, stop).
  Task<bool> async_goodbye(Epoch epoch, EpochSeen seen);
  // The same without waiting for it.
  void goodbye(Epoch epoch, EpochSeen seen);
  Task<bool> async_epoch_known(Epoch epoch);

  // --- Definitions, at a start and at a reload: the ids of the configured SLOs, in their order, once what was new
  // about them has been applied. Swap the matcher then, not before.
  Task<Result<std::vector<slo::SloId>>> async_define(std::vector<slo::Definition> configured);

  // --- What it looks like. Any thread, never blocks.
  std::uint64_t state_id() const;
  RunningMs running_ms() const;  // of the last applied record: durable, so it may be told
  UnixMs now_ms() const;         // ledger time now, also between records
  const LedgerCounters& counters() const;
  // The SLOs as they were when somebody last asked; then as they are now: 30 µs a page of 256 that has changed, a page
  // a turn of the strand.
  std::shared_ptr<const SloPages> pages() const;
  Task<std::shared_ptr<const SloPages>> async_pages();
  // Small answers of the owner.
  Task<StreamList> async_streams(std::size_t most);
  Task<std::uint64_t> async_state_hash();  // for tests and for looking: some ms
  // An operator vouches for the wall clock as it is.
  Task<ClockAccepted> async_accept_clock();

  // --- The end.
  // Commits what is in hand, until nothing waits or until the deadline. Then who still waits is told journal_slow, and
  // what comes is refused: shutting_down. After the sessions have stopped reading.
  Task<void> async_drain(BootNs deadline);
  // Waits for the commit in flight, and for nothing else. After this the journal may be stopped.
  Task<void> async_stop();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::ledger
