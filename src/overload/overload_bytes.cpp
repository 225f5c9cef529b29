// Who waits for bytes of read buffers, and what goes back.
#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "base/log.hpp"
#include "base/violation.hpp"
#include "overload/overload_inside.hpp"

namespace nissa::overload {

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

}  // namespace nissa::overload
