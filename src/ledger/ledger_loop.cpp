// The ledger's one loop: what is due next and the wait for it, a commit and what becomes of it, the end.
#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/memory.hpp"
#include "ledger/ledger_inside.hpp"

namespace nissa::ledger {
namespace {

constexpr std::size_t blocks_a_turn = 64;         // brought forward in one go: some 0.3 ms
constexpr std::int64_t full_retry_ns = ns_per_s;  // the disk is looked at as often
constexpr std::int64_t memory_retry_ns = 100 * ns_per_ms;
constexpr std::int64_t standing_look_ns = ns_per_s;  // while ledger time stands, no edge can be foreseen

}  // namespace

LedgerComponent::Inside::Inside(EventLoop& loop, Timers& timers_in, const Clock& clock_in, journal::Journal& journal_in,
                                const slo::MatchSets& sets, const Options& options_in, std::uint64_t state,
                                Recovered recovered, std::uint64_t hash_seed)
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

Task<void> LedgerComponent::Inside::run() {
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
    BootNs due = commit_due(now);
    if (due <= now) {
      rewrite_due(now) <= now ? next_piece() : next_commit();
      if (committing) continue;
      TroubleLog::no_memory();
      due = now + memory_retry_ns;
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

BootNs LedgerComponent::Inside::commit_due(BootNs now) {
  if (committing || stopping) return never;
  if (retry_at) return *retry_at;
  const BootNs rewrite = rewrite_due(now);
  if (broken || rewrite <= now) return rewrite;
  const BootNs tick = tick_due(now);
  if (!group.anything_open()) return tick;
  return std::min(tick, commit_at(now, last_ended, options.commit.spacing_ns));
}

BootNs LedgerComponent::Inside::tick_due(BootNs now) {
  const ClockReading reading = read_clock();
  const UnixMs edge_ms = start_of(bucket_of(ledger->ledger_ms()) + 1);
  if (reading.now_ms >= edge_ms) return now;
  if (reading.hold == ClockHold::standing) return now + standing_look_ns;
  return now + (edge_ms - reading.now_ms) * ns_per_ms;
}

ClockReading LedgerComponent::Inside::read_clock() {
  const BootNs boot = clock.boot_ns();
  const ClockReading reading = ledger_clock.read(boot, clock.wall_ns());
  clock_offset_ns.store(reading.now_ms * ns_per_ms - boot, std::memory_order_relaxed);
  standing_ms.store(reading.hold == ClockHold::standing ? reading.now_ms : 0, std::memory_order_relaxed);
  counters.clock_held.set(reading.held() ? 1 : 0);
  trouble.clock(reading, boot);
  return reading;
}

// Without the memory to apply the record and to write it there is no commit, and nothing has changed.
void LedgerComponent::Inside::next_commit() {
  Bytes bytes;
  const auto written = [&bytes](const Record& record) { return had_memory([&] { bytes = encode(record); }); };
  if (retry_at) {
    if (!written(group.record_in_flight())) return;
    retry_at.reset();
  } else {
    const auto ready = [&, this](const Record& record) {
      strand.entered();
      return ledger->reserve(record) && written(record);
    };
    const Stamp stamp = ledger->next_stamp(read_clock().now_ms);
    if (group.close(stamp.lsn, stamp.ledger_ms, stamp.running_ms, std::ref(ready)) == nullptr) return;
    let_in();
  }
  const Record& record = group.record_in_flight();
  journal::Commit commit{.lsn = record.lsn, .record = std::move(bytes), .put = {}, .erase = {}};
  writer.ride(*ledger, commit);
  committing = true;
  journal.commit(std::move(commit), [this](journal::CommitResult result) {
    post_to(strand, [this, result] {
      strand.entered();
      committed(result);
    });
  });
}

void LedgerComponent::Inside::committed(journal::CommitResult result) {
  committing = false;
  last_ended = timers.now();
  writer.settled(result == journal::CommitResult::durable);
  switch (result) {
    case journal::CommitResult::durable:
      ledger->apply(group.record_in_flight());
      lagging = true;
      trouble.durable(ledger->applied(), last_ended);
      tell(group.durable());
      refuse_if_full();
      let_in();
      publish();
      break;
    case journal::CommitResult::full:  // known not to be written: the group stays as it is
      counters.groups_full.add();
      retry_at = last_ended + full_retry_ns;
      trouble.disk_full(group.record_in_flight().lsn, last_ended);
      refuse_if_full();
      let_in();
      break;
    case journal::CommitResult::unknown:
      broken = true;
      rewrite_at = last_ended;
      trouble.unknown(group.record_in_flight().lsn, last_ended);
      tell(group.failed());
      let_in();
      break;
  }
  heed_room();
  answer_goodbyes();
  answer_definitions();
  idle.wake_all();
}

void LedgerComponent::Inside::publish() {
  running_ms.store(ledger->running_ms(), std::memory_order_relaxed);
  counters.lsn.set(ledger->applied());
  counters.ledger_ms.set(static_cast<std::uint64_t>(ledger->ledger_ms()));
  counters.running_ms.set(ledger->running_ms());
  counters.snapshots.set(writer.completed());
  counters.quarantined_slos.set(ledger->quarantined_count());
  trouble.snapshot(writer.completed(), ledger->applied());
}

void LedgerComponent::Inside::tell_slow(BootNs now) {
  std::vector<Delivery> deliveries = group.tell_slow(now);
  std::size_t batches = 0;
  for (const Delivery& one : deliveries) batches += one.answers.size();
  trouble.slow(batches, now);
  tell(std::move(deliveries));
}

void LedgerComponent::Inside::tell(std::vector<Delivery> deliveries) {
  for (Delivery& one : deliveries) one.to->deliver(std::move(one.answers));
}

bool LedgerComponent::Inside::at_rest() const {
  return !committing && !retry_at && !group.anything_open() && held.empty();
}

void LedgerComponent::Inside::finish_drain() {
  refuse_all();
  drain->parked.wake(true);
  drain.reset();
}

void LedgerComponent::Inside::refuse_all() {
  group.refuse_new(Reason::shutting_down);
  for (const Submission& one : std::exchange(held, {})) place_held(one);
  let_in();
  tell(group.tell_all_slow());
}

void LedgerComponent::Inside::leave() {
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

}  // namespace nissa::ledger
