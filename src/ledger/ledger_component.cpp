#include "ledger/ledger_component.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "async/latch.hpp"
#include "async/parked.hpp"
#include "async/parking.hpp"
#include "async/strand.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/snapshot_writer.hpp"
#include "ledger/trouble_log.hpp"

namespace nissa::ledger {
namespace {

constexpr BootNs never = std::numeric_limits<BootNs>::max();
constexpr std::size_t blocks_a_turn = 64;            // brought forward in one go: some 0.3 ms
constexpr std::int64_t full_retry_ns = ns_per_s;     // the disk is looked at as often
constexpr std::int64_t standing_look_ns = ns_per_s;  // while ledger time stands, no edge can be foreseen

// A default that does no harm, for a coroutine that is woken without an answer.
struct Defined {
  Result<std::vector<slo::SloId>> ids = failure("the ledger has stopped");
};

}  // namespace

struct LedgerComponent::Inside {
  Inside(EventLoop& loop, Timers& timers_in, const Clock& clock_in, journal::Journal& journal_in,
         const slo::MatchSets& sets, const Options& options_in, std::uint64_t state, Recovered recovered,
         std::uint64_t hash_seed)
      : strand(loop),
        timers(timers_in),
        clock(clock_in),
        journal(journal_in),
        options(options_in),
        state_id(state),
        ledger(std::move(recovered.ledger)),
        ledger_clock(options.clock, ledger->ledger_ms(), clock.boot_ns(), clock.wall_ns()),
        writer(options.snapshot, std::move(recovered.catalog), std::move(recovered.unneeded)),
        group(ledger->epochs(), sets, counters, options.commit, ledger->now(), hash_seed) {
    publish();
  }

  // --- One loop: what is due next, and the wait for it.
  Task<void> run() {
    strand.entered();
    while (!stopping || committing) {
      if (lagging && !ledger->catch_up(blocks_a_turn)) {
        co_await yield_turn();
        continue;
      }
      lagging = false;
      const BootNs now = timers.now();
      if (now >= group.next_slow_at()) tell_slow(now);
      if (drain && (at_rest() || now >= drain->deadline)) finish_drain();
      const BootNs due = commit_due(now);
      if (due <= now) {
        next_commit();
        continue;
      }
      if (!readers.empty() || !readers_of_next.empty()) {
        refresh_page();
        co_await yield_turn();
        continue;
      }
      const BootNs until = std::min({due, group.next_slow_at(), drain ? drain->deadline : never});
      if (until == never) {
        co_await idle.park();
        continue;
      }
      if (co_await idle.park_until(timers, until) != Woken::cancelled) continue;
      stopping = true;  // the timers have stopped: nothing can become due any more
      while (committing) co_await idle.park();
    }
    leave();
    ended.open();
  }

  // --- When.
  BootNs commit_due(BootNs now) NISSA_REQUIRES(strand) {
    if (committing || broken || stopping) return never;
    if (retry_at) return *retry_at;
    const BootNs tick = tick_due(now);
    if (!group.anything_open()) return tick;
    return std::min(tick, commit_at(now, last_ended, options.commit.spacing_ns));
  }
  // The next 10 s edge of ledger time, as the boot clock will show it.
  BootNs tick_due(BootNs now) NISSA_REQUIRES(strand) {
    const ClockReading reading = read_clock();
    const UnixMs edge_ms = start_of(bucket_of(ledger->ledger_ms()) + 1);
    if (reading.now_ms >= edge_ms) return now;
    if (reading.hold == ClockHold::standing) return now + standing_look_ns;
    return now + (edge_ms - reading.now_ms) * ns_per_ms;
  }
  ClockReading read_clock() NISSA_REQUIRES(strand) {
    const BootNs boot = clock.boot_ns();
    const ClockReading reading = ledger_clock.read(boot, clock.wall_ns());
    clock_offset_ns.store(reading.now_ms * ns_per_ms - boot, std::memory_order_relaxed);
    standing_ms.store(reading.hold == ClockHold::standing ? reading.now_ms : 0, std::memory_order_relaxed);
    counters.clock_held.set(reading.held() ? 1 : 0);
    trouble.clock(reading, boot);
    return reading;
  }

  // --- A commit and what becomes of it.
  void next_commit() NISSA_REQUIRES(strand) {
    if (!std::exchange(retry_at, std::nullopt)) {
      const Stamp stamp = ledger->next_stamp(read_clock().now_ms);
      group.close(stamp.lsn, stamp.ledger_ms, stamp.running_ms);
      let_in();
    }
    const Record& record = group.record_in_flight();
    journal::Commit commit{.lsn = record.lsn, .record = encode(record), .put = {}, .erase = {}};
    writer.ride(*ledger, commit);
    committing = true;
    journal.commit(std::move(commit), [this](journal::CommitResult result) {
      post_to(strand, [this, result] {
        strand.entered();
        committed(result);
      });
    });
  }

  void committed(journal::CommitResult result) NISSA_REQUIRES(strand) {
    committing = false;
    last_ended = timers.now();
    writer.settled(result == journal::CommitResult::durable);
    switch (result) {
      case journal::CommitResult::durable:
        ledger->apply(group.record_in_flight());
        lagging = true;
        trouble.durable(ledger->applied(), last_ended);
        tell(group.durable());
        if (group.refusing() == Reason::disk_full) group.refuse_new(Reason::none);
        let_in();
        publish();
        break;
      case journal::CommitResult::full:  // known not to be written: the group stays as it is
        counters.groups_full.add();
        retry_at = last_ended + full_retry_ns;
        trouble.disk_full(group.record_in_flight().lsn, last_ended);
        if (group.refusing() == Reason::none) group.refuse_new(Reason::disk_full);
        let_in();
        break;
      case journal::CommitResult::unknown:
        broken = true;
        trouble.unknown(group.record_in_flight().lsn);
        group.refuse_new(Reason::journal);
        tell(group.failed());
        let_in();
        break;
    }
    answer_goodbyes();
    answer_definitions();
    idle.wake_all();
  }

  void publish() NISSA_REQUIRES(strand) {
    running_ms.store(ledger->running_ms(), std::memory_order_relaxed);
    counters.lsn.set(ledger->applied());
    counters.ledger_ms.set(static_cast<std::uint64_t>(ledger->ledger_ms()));
    counters.running_ms.set(ledger->running_ms());
    counters.snapshots.set(writer.completed());
    counters.quarantined_slos.set(ledger->quarantined_count());
    trouble.snapshot(writer.completed(), ledger->applied());
  }
  void tell_slow(BootNs now) NISSA_REQUIRES(strand) {
    std::vector<Delivery> deliveries = group.tell_slow(now);
    std::size_t batches = 0;
    for (const Delivery& one : deliveries) batches += one.answers.size();
    trouble.slow(batches, now);
    tell(std::move(deliveries));
  }
  static void tell(std::vector<Delivery> deliveries) {
    for (Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
  }

  // --- What comes in.
  void take(Submission submission) NISSA_REQUIRES(strand) {
    if (held.empty() && group.has_room(submission)) return place(submission);
    for (const BatchLine& line : submission.lines) counters.of(line.key).held.add();
    held.push_back(std::move(submission));
    counters.held.add();
    full.store(true, std::memory_order_relaxed);
  }
  void place(const Submission& submission) NISSA_REQUIRES(strand) {
    const bool was_open = group.anything_open();
    const BootNs slow_before = group.next_slow_at();
    std::vector<Answer> answers = group.submit(submission, timers.now());
    if (!answers.empty()) {
      trouble.told(submission, answers, counters);
      submission.reply_to->deliver(std::move(answers));
    }
    if (stopped) tell(group.tell_all_slow());
    if (group.anything_open() != was_open || group.next_slow_at() < slow_before) idle.wake_all();
  }
  void place_held(const Submission& submission) NISSA_REQUIRES(strand) {
    for (const BatchLine& line : submission.lines) {
      Counter& waiting = counters.of(line.key).held;
      waiting.set(waiting.value() - 1);
    }
    place(submission);
  }
  // The open group is empty again, or refuses.
  void let_in() NISSA_REQUIRES(strand) {
    while (!held.empty() && group.has_room(held.front())) {
      place_held(held.front());
      held.pop_front();
    }
    if (!held.empty()) return;
    full.store(false, std::memory_order_relaxed);
    for (Parked<bool>& one : std::exchange(rooms, {})) one.wake(true);
  }

  // False: there was no room for it.
  bool say_goodbye(Epoch epoch, const EpochSeen& seen) NISSA_REQUIRES(strand) {
    if (stopped) return true;
    const CommitGroup::Goodbye said = group.goodbye(epoch, seen);
    if (said == CommitGroup::Goodbye::pending) idle.wake_all();
    return said != CommitGroup::Goodbye::no_room;
  }
  bool goodbye_open(Epoch epoch) NISSA_REQUIRES(strand) { return !broken && !stopped && group.goodbye_pending(epoch); }
  void answer_goodbyes() NISSA_REQUIRES(strand) {
    std::vector<Goodbye> waiting;
    for (Goodbye& one : std::exchange(goodbyes, {})) {
      if (goodbye_open(one.epoch)) {
        waiting.push_back(std::move(one));
      } else {
        one.parked.wake(!stopped && !group.goodbye_pending(one.epoch));
      }
    }
    goodbyes.swap(waiting);
  }

  void define_next() NISSA_REQUIRES(strand) {
    while (!definitions.empty() && !definitions.front().proposed) {
      Definition& next = definitions.front();
      auto plan =
          broken || stopped ? failure("the journal takes no more") : ledger->definitions().plan(next.configured);
      if (plan && !plan->empty()) {
        group.propose(std::move(plan->defines), std::move(plan->retired));
        next.ids = std::move(plan->ids);
        next.proposed = true;
        idle.wake_all();
        return;
      }
      next.parked.wake(plan ? Defined{std::move(plan->ids)} : Defined{std::unexpected(plan.error())});
      definitions.pop_front();
    }
  }
  void answer_definitions() NISSA_REQUIRES(strand) {
    if (!definitions.empty() && definitions.front().proposed) {
      if (!broken && !stopped && group.definitions_pending()) return;
      Definition& first = definitions.front();
      first.parked.wake(group.definitions_pending() ? Defined{} : Defined{std::move(first.ids)});
      definitions.pop_front();
    }
    define_next();
  }

  // A pass that has begun may have left behind what its newest readers want to see: they wait for the next one.
  void refresh_page() NISSA_REQUIRES(strand) {
    if (readers.empty()) readers.swap(readers_of_next);
    if (!pages.refresh_one(*ledger)) return;
    for (Parked<bool>& one : std::exchange(readers, {})) one.wake(true);
  }

  // --- The end.
  bool at_rest() const NISSA_REQUIRES(strand) {
    return broken || (!committing && !retry_at && !group.anything_open() && held.empty());
  }
  void finish_drain() NISSA_REQUIRES(strand) {
    refuse_all();
    drain->parked.wake(true);
    drain.reset();
  }
  void refuse_all() NISSA_REQUIRES(strand) {
    group.refuse_new(Reason::shutting_down);
    for (const Submission& one : std::exchange(held, {})) place_held(one);
    let_in();
    tell(group.tell_all_slow());
  }
  void leave() NISSA_REQUIRES(strand) {
    stopped = true;
    if (drain) finish_drain();
    refuse_all();
    answer_goodbyes();
    answer_definitions();
    readers.insert(readers.end(), std::make_move_iterator(readers_of_next.begin()),
                   std::make_move_iterator(readers_of_next.end()));
    readers_of_next.clear();
    for (Parked<bool>& one : std::exchange(readers, {})) one.wake(false);
  }

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
  bool broken NISSA_GUARDED_BY(strand) = false;
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

LedgerComponent::LedgerComponent(EventLoop& loop, Timers& timers, const Clock& clock, journal::Journal& journal,
                                 const slo::MatchSets& sets, const Options& options, std::uint64_t state_id,
                                 Recovered recovered, std::uint64_t hash_seed)
    : inside_(std::make_unique<Inside>(loop, timers, clock, journal, sets, options, state_id, std::move(recovered),
                                       hash_seed)) {}
LedgerComponent::~LedgerComponent() = default;

void LedgerComponent::start() { spawn_on(inside_->strand, inside_->run()); }

void LedgerComponent::submit(Submission submission) {
  post_to(inside_->strand, [in = inside_.get(), submission = std::move(submission)]() mutable {
    in->strand.entered();
    in->take(std::move(submission));
  });
}

bool LedgerComponent::has_room() const { return !inside_->full.load(std::memory_order_relaxed); }

Task<void> LedgerComponent::async_room() {
  if (has_room()) co_return;
  (void)co_await park_on<bool>(inside_->strand, [in = inside_.get()](Parked<bool> parked) {
    in->strand.entered();
    if (in->held.empty()) return parked.wake(true);
    in->rooms.push_back(std::move(parked));
  });
}

Task<bool> LedgerComponent::async_goodbye(Epoch epoch, EpochSeen seen) {
  return park_on<bool>(inside_->strand, [in = inside_.get(), epoch, seen](Parked<bool> parked) {
    in->strand.entered();
    if (!in->say_goodbye(epoch, seen)) return parked.wake(false);
    in->goodbyes.push_back({epoch, std::move(parked)});
    if (!in->goodbye_open(epoch)) in->answer_goodbyes();
  });
}

void LedgerComponent::goodbye(Epoch epoch, EpochSeen seen) {
  post_to(inside_->strand, [in = inside_.get(), epoch, seen] {
    in->strand.entered();
    in->say_goodbye(epoch, seen);
  });
}

Task<bool> LedgerComponent::async_epoch_known(Epoch epoch) {
  return run_on(inside_->strand, [in = inside_.get(), epoch] {
    in->strand.entered();
    return in->ledger->epochs().find(epoch) != nullptr;
  });
}

Task<Result<std::vector<slo::SloId>>> LedgerComponent::async_define(std::vector<slo::Definition> configured) {
  auto keep = [in = inside_.get(), configured = std::move(configured)](Parked<Defined> parked) mutable {
    in->strand.entered();
    in->definitions.push_back({std::move(configured), std::move(parked), {}});
    in->define_next();
  };
  Defined defined = co_await park_on<Defined>(inside_->strand, std::move(keep));
  co_return std::move(defined.ids);
}

std::uint64_t LedgerComponent::state_id() const { return inside_->state_id; }
RunningMs LedgerComponent::running_ms() const { return inside_->running_ms.load(std::memory_order_relaxed); }
UnixMs LedgerComponent::now_ms() const {
  if (const UnixMs standing = inside_->standing_ms.load(std::memory_order_relaxed); standing != 0) return standing;
  return (inside_->clock.boot_ns() + inside_->clock_offset_ns.load(std::memory_order_relaxed)) / ns_per_ms;
}
const LedgerCounters& LedgerComponent::counters() const { return inside_->counters; }

std::shared_ptr<const SloPages> LedgerComponent::pages() const { return inside_->pages.current(); }

Task<std::shared_ptr<const SloPages>> LedgerComponent::async_pages() {
  (void)co_await park_on<bool>(inside_->strand, [in = inside_.get()](Parked<bool> parked) {
    in->strand.entered();
    if (in->stopped) return parked.wake(false);
    in->readers_of_next.push_back(std::move(parked));
    in->idle.wake_all();
  });
  co_return inside_->pages.current();
}

Task<StreamList> LedgerComponent::async_streams(std::size_t most) {
  return run_on(inside_->strand, [in = inside_.get(), most] {
    in->strand.entered();
    return list_streams(in->ledger->epochs(), in->ledger->running_ms(), most);
  });
}

Task<std::uint64_t> LedgerComponent::async_state_hash() {
  return run_on(inside_->strand, [in = inside_.get()] {
    in->strand.entered();
    return in->ledger->state_hash();
  });
}

Task<ClockAccepted> LedgerComponent::async_accept_clock() {
  return run_on(inside_->strand, [in = inside_.get()] {
    in->strand.entered();
    in->read_clock();
    const ClockAccepted accepted = in->ledger_clock.accept();
    in->read_clock();
    in->idle.wake_all();
    return accepted;
  });
}

Task<void> LedgerComponent::async_drain(BootNs deadline) {
  (void)co_await park_on<bool>(inside_->strand, [in = inside_.get(), deadline](Parked<bool> parked) {
    in->strand.entered();
    if (in->stopped || in->drain) return parked.wake(false);
    in->drain.emplace(deadline, std::move(parked));
    in->idle.wake_all();
  });
}

Task<void> LedgerComponent::async_stop() {
  co_await run_on(inside_->strand, [in = inside_.get()] {
    in->strand.entered();
    in->stopping = true;
    in->idle.wake_all();
  });
  co_await inside_->ended.wait();
}

}  // namespace nissa::ledger
