#include "async/timer.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <exception>
#include <limits>
#include <string>

#include "async/parked.hpp"
#include "async/timer_heap.hpp"
#include "base/mutex.hpp"
#include "base/violation.hpp"

namespace nissa {
namespace {

constexpr BootNs never = std::numeric_limits<BootNs>::max();
// Asio's clock stands still while the machine sleeps, ours does not: so it never waits longer than this.
constexpr std::int64_t longest_wait_ns = ns_per_s;

}  // namespace

struct Timers::Inside : std::enable_shared_from_this<Inside> {
  Inside(EventLoop& event_loop, const Clock& the_clock, Drive the_drive)
      : clock(the_clock), drive(the_drive), waker(event_loop.context()) {}

  const Clock& clock;
  const Drive drive;
  mutable Mutex mutex;
  TimerHeap<OnTime> heap NISSA_GUARDED_BY(mutex);
  boost::asio::steady_timer waker NISSA_GUARDED_BY(mutex);
  BootNs armed_for NISSA_GUARDED_BY(mutex) = never;  // `never`: the waker does not wait
  bool stopped NISSA_GUARDED_BY(mutex) = false;

  TimerId add(BootNs deadline, OnTime& fn) {
    Lock lock(mutex);
    if (stopped) return 0;
    const TimerId id = heap.insert(deadline, std::move(fn));
    arm();
    return id;
  }

  std::optional<OnTime> take_due(BootNs now) {
    Lock lock(mutex);
    return heap.pop_due(now);
  }

  std::size_t fire(BootNs now) {
    std::size_t fired = 0;
    for (; auto fn = take_due(now); ++fired) try {
        (*fn)(Slept::elapsed);
      } catch (const std::exception& thrown) {  // the others are due all the same
        violation("async", std::string("what a timer calls does not throw, as this did: ") + thrown.what());
      }
    return fired;
  }

  // Makes the waker wait for the earliest deadline, if it does not wait for that or an earlier one already.
  void arm() NISSA_REQUIRES(mutex) {
    if (drive == Drive::by_hand || stopped) return;
    const auto earliest = heap.earliest();
    if (!earliest || *earliest >= armed_for) return;
    armed_for = *earliest;
    const std::int64_t wait_ns = std::clamp<std::int64_t>(*earliest - clock.boot_ns(), 0, longest_wait_ns);
    waker.expires_after(std::chrono::nanoseconds(wait_ns));  // cancels what it waited for before
    waker.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->on_waker();
    });
  }

  void on_waker() {
    fire(clock.boot_ns());
    Lock lock(mutex);
    armed_for = never;
    arm();
  }

  void stop() {
    std::vector<OnTime> left;
    {
      Lock lock(mutex);
      stopped = true;
      waker.cancel();
      while (auto fn = heap.pop_due(never)) left.push_back(std::move(*fn));
    }
    for (auto& fn : left) fn(Slept::cancelled);
  }
};

Timers::Timers(EventLoop& loop, const Clock& clock, Drive drive)
    : inside_(std::make_shared<Inside>(loop, clock, drive)) {}
Timers::~Timers() { stop(); }

BootNs Timers::now() const { return inside_->clock.boot_ns(); }

Task<Slept> Timers::sleep_until(BootNs deadline) {
  return park<Slept>([this, deadline](Parked<Slept> parked) {
    call_at(deadline, [parked = std::move(parked)](Slept slept) mutable { parked.wake(slept); });
  });
}

Task<Slept> Timers::sleep_for(std::int64_t ns) { return sleep_until(now() + ns); }

TimerId Timers::call_at(BootNs deadline, OnTime fn) {
  const TimerId id = inside_->add(deadline, fn);
  if (id == 0) fn(Slept::cancelled);
  return id;
}

bool Timers::cancel(TimerId id) {
  std::optional<OnTime> dropped;  // destroyed without the lock: it may hold anything
  Lock lock(inside_->mutex);
  dropped = inside_->heap.erase(id);
  return dropped.has_value();
}

std::size_t Timers::fire_due() { return inside_->fire(now()); }

std::optional<BootNs> Timers::next_deadline() const {
  Lock lock(inside_->mutex);
  return inside_->heap.earliest();
}

void Timers::stop() { inside_->stop(); }

}  // namespace nissa
