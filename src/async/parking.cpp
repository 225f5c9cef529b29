#include "async/parking.hpp"

#include <atomic>

#include "async/parked.hpp"

namespace nissa {

// Shared with the timer, which may fire on another thread: whoever claims it first wakes it. One that the timer claimed
// stays in the line until it is passed or swept.
struct Parking::Waiter {
  explicit Waiter(Parked<Woken> waiting) : parked(std::move(waiting)) {}
  bool claim() { return !claimed.exchange(true, std::memory_order_acq_rel); }
  std::atomic<bool> claimed{false};
  Parked<Woken> parked;
  Timers* timers = nullptr;
  TimerId timer = 0;
};

Parking::~Parking() {
  for (const auto& waiter : waiting_) {
    if (!waiter->claim()) continue;
    violation("async", "nobody is parked any more where a Parking ends");
    waiter->parked.wake(Woken::cancelled);
  }
}

Task<void> Parking::park() {
  strand_.entered();
  (void)co_await nissa::park<Woken>(
      [this](Parked<Woken> parked) { waiting_.push_back(std::make_shared<Waiter>(std::move(parked))); });
}

Task<Woken> Parking::park_until(Timers& timers, BootNs deadline) {
  strand_.entered();
  return nissa::park<Woken>([this, &timers, deadline](Parked<Woken> parked) {
    if (waiting_.size() >= sweep_at_) sweep();
    auto waiter = std::make_shared<Waiter>(std::move(parked));
    waiting_.push_back(waiter);
    waiter->timers = &timers;
    waiter->timer = timers.call_at(deadline, [waiter](Slept slept) {
      if (waiter->claim()) waiter->parked.wake(slept == Slept::elapsed ? Woken::timed_out : Woken::cancelled);
    });
  });
}

void Parking::sweep() {
  std::erase_if(waiting_, [](const auto& waiter) { return waiter->claimed.load(std::memory_order_acquire); });
  sweep_at_ = 2 * waiting_.size() + 8;
}

bool Parking::wake_one() {
  strand_.entered();
  while (!waiting_.empty()) {
    const auto waiter = std::move(waiting_.front());
    waiting_.pop_front();
    if (!waiter->claim()) continue;
    if (waiter->timers) waiter->timers->cancel(waiter->timer);
    waiter->parked.wake(Woken::called);
    return true;
  }
  return false;
}

std::size_t Parking::wake_all() {
  std::size_t woken = 0;
  while (wake_one()) ++woken;
  return woken;
}

bool Parking::empty() const {
  for (const auto& waiter : waiting_)
    if (!waiter->claimed.load(std::memory_order_acquire)) return false;
  return true;
}

}  // namespace nissa
