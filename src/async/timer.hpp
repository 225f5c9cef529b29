// Sleeping and deadlines: the only way in which time makes something happen. One heap (timer_heap.hpp) for the whole
// process, driven by one Asio timer, or by hand: then nothing fires until fire_due() is called, which is what makes a
// simulated day take a tenth of a second (an Asio timer with a clock of one's own never fires under epoll).
// Any thread, under one mutex that is held for one heap operation; about 0.1 µs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/time_types.hpp"

namespace nissa {

// What a sleep returns. A cancelled sleep means that the timers were stopped: leave the loop, do not sleep again.
enum class [[nodiscard]] Slept : std::uint8_t {
  cancelled,  // stop() came first; also all later sleeps, at once
  elapsed,    // the deadline has passed
};
constexpr const char* name_of(Slept slept) { return slept == Slept::elapsed ? "elapsed" : "cancelled"; }

using TimerId = std::uint64_t;  // 0 is never given out

class Timers {
 public:
  enum class Drive : std::uint8_t {
    by_clock,  // wakes up by itself; the machine asleep counts (within 1 s after it woke)
    by_hand,   // by fire_due() alone
  };
  // The loop and the clock outlive it.
  Timers(EventLoop& loop, const Clock& clock, Drive drive = Drive::by_clock);
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  BootNs now() const;
  // The sleeper goes on on its own executor, never inside another's call.
  [[nodiscard]] Task<Slept> sleep_until(BootNs deadline);
  [[nodiscard]] Task<Slept> sleep_for(std::int64_t ns);

  // Calls fn once, on the loop, on no strand and with no lock held, unless cancel() comes first. So fn only posts or
  // wakes, and holds what it refers to by shared or weak pointer. After stop() it is called at once, with cancelled.
  using OnTime = std::move_only_function<void(Slept)>;
  TimerId call_at(BootNs deadline, OnTime fn);
  // True if fn will not be called any more; false if it was called, or is being called.
  bool cancel(TimerId id);

  // Calls all that is due by the clock; returns how many. For by_hand.
  std::size_t fire_due();
  std::optional<BootNs> next_deadline() const;

  // Cancels every sleep, those to come too. The last component to be stopped. More than once does nothing.
  void stop();

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace nissa
