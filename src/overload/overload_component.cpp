#include "overload/overload_component.hpp"

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/parked.hpp"
#include "async/timer.hpp"
#include "base/episode.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/violation.hpp"
#include "overload/queue_delay.hpp"
#include "overload/retry_after.hpp"
#include "overload/turns.hpp"

namespace nissa::overload {
namespace {

// What one who waits for bytes is woken with; dropped against all rules, it is refused.
struct BytesAnswer {
  std::optional<Holding> holding;
  Refusal refusal{.reason = Reason::shutting_down};
};
using ParkedForBytes = Parked<BytesAnswer>;
using ParkedForTurn = Parked<Turn>;

}  // namespace

// All state behind one mutex. Nobody is woken while it is held: waking posts, and may run a destructor.
class OverloadInside : public std::enable_shared_from_this<OverloadInside> {
 public:
  OverloadInside(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                 std::function<double()> random)
      : loop_(loop), timers_(timers), clock_(clock), options_(options), random_(std::move(random)) {}

  std::optional<Refusal> refusal(Priority priority);
  std::optional<Admission> try_bytes(Priority priority, SenderId sender, std::size_t bytes);
  Admission bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes);
  void wait_for_bytes(ParkedForBytes parked, Priority priority, SenderId sender, std::size_t bytes, std::size_t held);
  void wait_for_turn(ParkedForTurn parked, Priority priority, std::size_t bytes);
  void give_back(const Holding& holding);
  std::int64_t oldest_wait_ns();
  void stop();
  bool idle();

  Counters counters;

 private:
  struct WokenForBytes {
    ParkedForBytes parked;
    BytesAnswer answer;
  };
  using WakeList = std::vector<WokenForBytes>;
  static void wake(WakeList& list);

  Refusal refuse(Priority priority, Reason reason, BootNs now) NISSA_REQUIRES(mutex_);
  void let_in(BootNs now, WakeList& list) NISSA_REQUIRES(mutex_);
  void pull(Gate::Ticket ticket, BytesAnswer answer, WakeList& list) NISSA_REQUIRES(mutex_);
  void publish_gate(Priority priority) NISSA_REQUIRES(mutex_);
  void publish_line(Priority priority) NISSA_REQUIRES(mutex_);
  // When the timer is to be set, if it is not; set it after the lock is gone, for stopped timers call back at once.
  std::optional<BootNs> deadline_to_arm() NISSA_REQUIRES(mutex_);
  void arm(std::optional<BootNs> deadline);
  void on_deadline();
  void post_slice();
  void grant_slice();
  // A class that is refused from now on, or no more.
  struct Change {
    Priority priority = Priority::low;
    bool refused = false;
    std::int64_t wait_ns = 0;       // the oldest in any line
    std::size_t backlog_bytes = 0;  // before a batch of this class
    std::uint64_t refusals = 0;     // of this class while it lasted
    std::int64_t lasted_ms = 0;
  };
  void note_changes(std::uint32_t before, std::uint32_t refusing, BootNs now) NISSA_REQUIRES(mutex_);
  void tell_changes();

  EventLoop& loop_;
  Timers& timers_;
  const Clock& clock_;
  const Options options_;
  std::atomic<std::uint32_t> refusing_{0};  // a bit a class: so that refusal() is one load in good times

  Mutex mutex_;
  std::function<double()> random_ NISSA_GUARDED_BY(mutex_);
  Gate gate_ NISSA_GUARDED_BY(mutex_){options_};
  Turns turns_ NISSA_GUARDED_BY(mutex_){options_};
  PerClass<QueueDelay> delay_ NISSA_GUARDED_BY(mutex_){QueueDelay{options_.standing_ns, options_.target_wait_ns[0]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[1]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[2]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[3]}};
  DrainRate drain_ NISSA_GUARDED_BY(mutex_);
  std::unordered_map<Gate::Ticket, ParkedForBytes> parked_bytes_ NISSA_GUARDED_BY(mutex_);
  // A turn's ticket is its place here: the common way allocates nothing.
  std::vector<std::optional<ParkedForTurn>> parked_turns_ NISSA_GUARDED_BY(mutex_);
  std::vector<Turns::Ticket> free_turns_ NISSA_GUARDED_BY(mutex_);
  bool slice_posted_ NISSA_GUARDED_BY(mutex_) = false;
  bool deadline_armed_ NISSA_GUARDED_BY(mutex_) = false;
  bool stopping_ NISSA_GUARDED_BY(mutex_) = false;
  PerClass<Episode> refused_ NISSA_GUARDED_BY(mutex_);
  PerClass<std::uint64_t> refusals_before_ NISSA_GUARDED_BY(mutex_){};
  // Only grant_slice, of which one is under way at most (slice_posted_): kept, for their memory.
  std::vector<Turns::Granted> granted_;
  std::vector<std::pair<ParkedForTurn, Turn>> to_wake_;
  std::vector<Change> changes_;
};

std::optional<Refusal> OverloadInside::refusal(Priority priority) {
  const std::uint32_t bit = 1u << index_of(priority);
  if ((refusing_.load(std::memory_order_relaxed) & bit) == 0) return std::nullopt;
  const BootNs now = clock_.boot_ns();
  Lock lock(mutex_);
  if (!delay_[index_of(priority)].refuses(now)) return std::nullopt;
  return refuse(priority, Reason::overloaded, now);
}

Refusal OverloadInside::refuse(Priority priority, Reason reason, BootNs now) {
  const std::size_t index = index_of(priority);
  (reason == Reason::overloaded ? counters.refused_overloaded
   : reason == Reason::no_room  ? counters.refused_no_room
                                : counters.refused_shutting_down)[index]
      .add();
  // What has to drain before this one gets in: the line before it, or the bytes that take its room.
  const std::size_t backlog = reason == Reason::no_room ? gate_.in_use() : turns_.backlog_bytes(priority);
  return {reason, retry_after_ms(backlog, drain_.bytes_per_s(now), random_(), options_)};
}

std::optional<Admission> OverloadInside::try_bytes(Priority priority, SenderId sender, std::size_t bytes) {
  Lock lock(mutex_);
  if (stopping_) return std::unexpected(refuse(priority, Reason::shutting_down, clock_.boot_ns()));
  const Gate::Answer answer = gate_.ask(priority, sender, bytes);
  switch (answer.verdict) {
    case Gate::Verdict::admitted:
      publish_gate(priority);
      return Reservation(shared_from_this(), answer.holding);
    case Gate::Verdict::never:
      return std::unexpected(refuse(priority, Reason::no_room, clock_.boot_ns()));
    case Gate::Verdict::full:
      break;
  }
  return std::nullopt;
}

Admission OverloadInside::bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes) {
  if (auto at_once = try_bytes(priority, sender, bytes)) return std::move(*at_once);
  Lock lock(mutex_);
  return std::unexpected(refuse(priority, Reason::no_room, clock_.boot_ns()));
}

void OverloadInside::wait_for_bytes(ParkedForBytes parked, Priority priority, SenderId sender, std::size_t bytes,
                                    std::size_t held) {
  WakeList list;
  std::optional<BootNs> deadline;
  {
    Lock lock(mutex_);
    const BootNs now = clock_.boot_ns();
    if (stopping_) {
      list.push_back({std::move(parked), {.refusal = refuse(priority, Reason::shutting_down, now)}});
    } else {
      parked_bytes_.emplace(gate_.join_line(priority, sender, bytes, now, held), std::move(parked));
      let_in(now, list);
      publish_line(priority);
      deadline = deadline_to_arm();
    }
  }
  wake(list);
  arm(deadline);
}

void OverloadInside::give_back(const Holding& holding) {
  WakeList list;
  {
    Lock lock(mutex_);
    gate_.give_back(holding);
    publish_gate(holding.priority);
    if (gate_.anyone_waits()) let_in(clock_.boot_ns(), list);
  }
  wake(list);
}

void OverloadInside::let_in(BootNs now, WakeList& list) {
  std::vector<Gate::LetIn> let_in;
  gate_.let_in(now, let_in);
  for (const Gate::LetIn& one : let_in) {
    counters.byte_wait[index_of(one.holding.priority)].observe(one.waited_ns);
    publish_gate(one.holding.priority);
    publish_line(one.holding.priority);
    pull(one.ticket, {.holding = one.holding}, list);
  }
}

void OverloadInside::pull(Gate::Ticket ticket, BytesAnswer answer, WakeList& list) {
  const auto found = parked_bytes_.find(ticket);
  if (found == parked_bytes_.end()) return violation("overload", "who stands in the gate's line is parked");
  list.push_back({std::move(found->second), answer});
  parked_bytes_.erase(found);
}

void OverloadInside::wake(WakeList& list) {
  for (WokenForBytes& one : list) one.parked.wake(one.answer);
}

void OverloadInside::publish_gate(Priority priority) {
  counters.bytes_in_use[index_of(priority)].set(gate_.common_in_use(priority));
  if (priority == Priority::critical) counters.reserve_in_use.set(gate_.reserve_in_use());
}

void OverloadInside::publish_line(Priority priority) {
  counters.held_now[index_of(priority)].set(gate_.waiting(priority) + turns_.waiting(priority));
}

std::optional<BootNs> OverloadInside::deadline_to_arm() {
  if (deadline_armed_) return std::nullopt;
  const auto next = gate_.next_deadline();
  deadline_armed_ = next.has_value();
  return next;
}

void OverloadInside::arm(std::optional<BootNs> deadline) {
  if (!deadline) return;
  timers_.call_at(*deadline, [weak = weak_from_this()](Slept slept) {
    // Stopped timers: the component is stopped before them, and nobody waits.
    if (const auto self = weak.lock(); self && slept == Slept::elapsed) self->on_deadline();
  });
}

void OverloadInside::on_deadline() {
  WakeList list;
  std::optional<Priority> first_expired;
  std::size_t expired_count = 0;
  std::size_t in_use = 0;
  std::optional<BootNs> deadline;
  {
    Lock lock(mutex_);
    deadline_armed_ = false;
    const BootNs now = clock_.boot_ns();
    std::vector<Gate::Leaver> expired;
    gate_.expire(now, expired);
    if (!expired.empty()) first_expired = expired.front().priority;
    expired_count = expired.size();
    in_use = gate_.in_use();
    for (const Gate::Leaver& one : expired) {
      pull(one.ticket, {.refusal = refuse(one.priority, Reason::no_room, now)}, list);
      publish_line(one.priority);
    }
    // Who left may have stood before others that fit.
    let_in(now, list);
    deadline = deadline_to_arm();
  }
  if (first_expired)
    log_rarely(LogLevel::warning, "overload", "batches are refused for want of room (ingest_bytes, sender_percent)",
               {{"class", name_of(*first_expired)}, {"batches", expired_count}, {"bytes_in_use", in_use}});
  wake(list);
  arm(deadline);
}

void OverloadInside::wait_for_turn(ParkedForTurn parked, Priority priority, std::size_t bytes) {
  bool post = false;
  {
    Lock lock(mutex_);
    const BootNs now = clock_.boot_ns();
    if (free_turns_.empty()) {
      free_turns_.push_back(parked_turns_.size());
      parked_turns_.emplace_back();
    }
    const Turns::Ticket ticket = free_turns_.back();
    free_turns_.pop_back();
    parked_turns_[ticket].emplace(std::move(parked));
    turns_.ask(ticket, priority, bytes, now);
    delay_[index_of(priority)].entered(now);
    publish_line(priority);
    post = !std::exchange(slice_posted_, true);
  }
  if (post) post_slice();
}

// Behind the ready queue: what arrived before is read first, and stands in line when the slice is cut.
void OverloadInside::post_slice() {
  boost::asio::post(loop_.context(), [self = shared_from_this()] { self->grant_slice(); });
}

void OverloadInside::grant_slice() {
  {
    Lock lock(mutex_);
    const BootNs now = clock_.boot_ns();
    granted_.clear();
    turns_.next_slice(now, granted_);
    const std::uint32_t before = refusing_.load(std::memory_order_relaxed);
    std::uint32_t refusing = before;
    std::size_t bytes = 0;
    for (const Turns::Granted& one : granted_) {
      const std::size_t index = index_of(one.priority);
      delay_[index].left(now, one.waited_ns);
      counters.turn_wait[index].observe(one.waited_ns);
      publish_line(one.priority);
      bytes += one.bytes;
      to_wake_.emplace_back(*std::move(parked_turns_[one.ticket]), Turn{one.waited_ns});
      parked_turns_[one.ticket].reset();
      free_turns_.push_back(one.ticket);
    }
    drain_.drained(bytes, now);
    for (std::size_t i = 0; i < priority_count; ++i) {
      const std::uint32_t bit = 1u << i;
      refusing = delay_[i].refuses(now) ? refusing | bit : refusing & ~bit;
    }
    refusing_.store(refusing, std::memory_order_relaxed);
    if (refusing != before) note_changes(before, refusing, now);
  }
  if (!changes_.empty()) tell_changes();
  for (auto& [parked, turn] : to_wake_) parked.wake(turn);
  to_wake_.clear();
  bool more = false;
  {
    Lock lock(mutex_);  // only now may another slice be posted: this one has used the lists to its end
    more = slice_posted_ = turns_.anyone_waits();
  }
  if (more) post_slice();
}

void OverloadInside::note_changes(std::uint32_t before, std::uint32_t refusing, BootNs now) {
  for (const Priority priority : all_priorities) {
    const std::size_t i = index_of(priority);
    if (((before ^ refusing) >> i & 1u) == 0) continue;
    Change change{.priority = priority, .refused = (refusing >> i & 1u) != 0};
    if (change.refused) {
      refused_[i].begin(now);
      refusals_before_[i] = counters.refused_overloaded[i].value();
      change.wait_ns = std::max(gate_.oldest_wait_ns(now), turns_.oldest_wait_ns(now));
      change.backlog_bytes = turns_.backlog_bytes(priority);
    } else {
      change.lasted_ms = refused_[i].end(now).value_or(0);
      change.refusals = counters.refused_overloaded[i].value() - refusals_before_[i];
    }
    changes_.push_back(change);
  }
}

// Without the lock: whoever reads the log may be slow.
void OverloadInside::tell_changes() {
  for (const Change& one : changes_) {
    if (one.refused)
      log(LogLevel::warning, "overload", "a class is refused: its line does not go down",
          {{"class", name_of(one.priority)},
           {"oldest_wait_ms", one.wait_ns / ns_per_ms},
           {"backlog_bytes", one.backlog_bytes}});
    else
      log(LogLevel::info, "overload", "a class is taken again",
          {{"class", name_of(one.priority)}, {"after_ms", one.lasted_ms}, {"refused_batches", one.refusals}});
  }
  changes_.clear();
}

std::int64_t OverloadInside::oldest_wait_ns() {
  const BootNs now = clock_.boot_ns();
  Lock lock(mutex_);
  return std::max(gate_.oldest_wait_ns(now), turns_.oldest_wait_ns(now));
}

void OverloadInside::stop() {
  WakeList list;
  {
    Lock lock(mutex_);
    stopping_ = true;
    const BootNs now = clock_.boot_ns();
    for (const Gate::Leaver& one : gate_.all_waiting()) {
      gate_.cancel(one.ticket);
      pull(one.ticket, {.refusal = refuse(one.priority, Reason::shutting_down, now)}, list);
      publish_line(one.priority);
    }
  }
  wake(list);
}

bool OverloadInside::idle() {
  Lock lock(mutex_);
  return !gate_.anyone_waits() && !turns_.anyone_waits() && !slice_posted_;
}

Reservation::Reservation(std::shared_ptr<OverloadInside> home, const Holding& holding)
    : home_(std::move(home)), holding_(holding) {}
Reservation::Reservation(Reservation&& other) noexcept : home_(std::move(other.home_)), holding_(other.holding_) {}
Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    give_back();
    home_ = std::move(other.home_);
    holding_ = other.holding_;
  }
  return *this;
}
void Reservation::give_back() {
  if (const auto home = std::exchange(home_, nullptr)) home->give_back(holding_);
}

void Reservation::keep(std::size_t bytes) {
  if (!home_ || bytes >= holding_.bytes()) return;
  Holding back = holding_;
  back.common = std::min(holding_.common, holding_.bytes() - bytes);
  back.reserve = holding_.bytes() - bytes - back.common;
  holding_.common -= back.common;
  holding_.reserve -= back.reserve;
  home_->give_back(back);
}
bool Reservation::absorb(Reservation& more) {
  if (!home_ || home_ != more.home_ || holding_.priority != more.holding_.priority ||
      holding_.sender != more.holding_.sender)
    return false;
  holding_.common += more.holding_.common;
  holding_.reserve += more.holding_.reserve;
  more.home_.reset();
  return true;
}

OverloadComponent::OverloadComponent(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                                     std::function<double()> random)
    : inside_(std::make_shared<OverloadInside>(loop, timers, clock, options, std::move(random))) {}

OverloadComponent::~OverloadComponent() {
  if (!inside_->idle()) violation("overload", "stopped, and with nobody waiting, before it ends");
}

std::optional<Refusal> OverloadComponent::refusal(Priority priority) { return inside_->refusal(priority); }

Admission OverloadComponent::bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes) {
  return inside_->bytes_or_refusal(priority, sender, bytes);
}

std::optional<Admission> OverloadComponent::try_bytes(Priority priority, SenderId sender, std::size_t bytes) {
  return inside_->try_bytes(priority, sender, bytes);
}

Task<Admission> OverloadComponent::async_bytes(Priority priority, SenderId sender, std::size_t bytes,
                                               std::size_t held) {
  const auto in = inside_;
  if (auto at_once = in->try_bytes(priority, sender, bytes)) co_return std::move(*at_once);
  const BytesAnswer answer = co_await park<BytesAnswer>([in, priority, sender, bytes, held](ParkedForBytes parked) {
    in->wait_for_bytes(std::move(parked), priority, sender, bytes, held);
  });
  if (!answer.holding) co_return std::unexpected(answer.refusal);
  co_return Reservation(in, *answer.holding);
}

Task<Turn> OverloadComponent::async_turn(Priority priority, std::size_t bytes) {
  return park<Turn>(
      [in = inside_, priority, bytes](ParkedForTurn parked) { in->wait_for_turn(std::move(parked), priority, bytes); });
}

std::int64_t OverloadComponent::oldest_wait_ns() const { return inside_->oldest_wait_ns(); }
const Counters& OverloadComponent::counters() const { return inside_->counters; }

Task<void> OverloadComponent::async_stop() {
  const auto in = inside_;
  in->stop();
  while (!in->idle()) co_await yield_turn();
}

}  // namespace nissa::overload
