// The ledger as others see it: each entry hops onto the strand.
#include "ledger/ledger_component.hpp"

#include <utility>

#include "ledger/ledger_inside.hpp"

namespace nissa::ledger {
namespace {

// Who waits for a Goodbye may have gone long ago, while a disk that hangs keeps the answer back.
constexpr std::size_t most_waiting_goodbyes = 1'024;

}  // namespace

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
    if (in->goodbyes.size() >= most_waiting_goodbyes || !in->say_goodbye(epoch, seen)) return parked.wake(false);
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
