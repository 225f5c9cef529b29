// An event loop, its timers and a clock in one hand: one thread, nothing waits, the same in every run.
#pragma once
#include <algorithm>
#include <optional>

#include "async/coroutine.hpp"
#include "async/event_loop.hpp"
#include "async/timer.hpp"
#include "base/violation.hpp"
#include "support/manual_clock.hpp"

namespace nissa::test {

class HandLoop {
 public:
  HandLoop() : timers(loop, clock, Timers::Drive::by_hand) {}
  // Whatever was spawned has been stopped by now; what only waits for time is cancelled here.
  ~HandLoop() {
    timers.stop();
    settle();
  }

  // Runs whatever can run without time going on. True if it came to rest; a loop that never rests is cut off.
  bool settle() {
    for (int round = 0; round < 1'000'000; ++round)
      if (loop.run_ready() == 0) return true;
    violation("test", "the loop comes to rest when time stands still");
    return false;
  }

  // Lets `ns` pass: from deadline to deadline, and at each all that can run runs.
  void pass(std::int64_t ns) {
    const BootNs until = clock.boot_ns() + ns;
    settle();
    for (auto next = timers.next_deadline(); next && *next <= until; next = timers.next_deadline()) {
      clock.advance(std::max<std::int64_t>(0, *next - clock.boot_ns()));
      timers.fire_due();
      settle();
    }
    clock.advance(std::max<std::int64_t>(0, until - clock.boot_ns()));
  }

  // Runs the task to its end, letting time pass as far as it needs (at most `longest_ns`). Nothing, if it has not
  // ended.
  template <class T>
  std::optional<T> get(Task<T> task, std::int64_t longest_ns = 3'600 * ns_per_s) {
    auto result = std::make_shared<std::optional<T>>();
    loop.spawn(store(std::move(task), result));
    wait_for([&] { return result->has_value(); }, longest_ns);
    return std::move(*result);
  }
  bool get(Task<void> task, std::int64_t longest_ns = 3'600 * ns_per_s) {
    return get<bool>(then_true(std::move(task)), longest_ns).has_value();
  }

  // Lets time pass until done() or `longest_ns` later.
  template <class Done>
  bool wait_for(Done done, std::int64_t longest_ns = 3'600 * ns_per_s) {
    const BootNs until = clock.boot_ns() + longest_ns;
    for (settle(); !done();) {
      const auto next = timers.next_deadline();
      if (!next || *next > until) return false;
      pass(std::max<std::int64_t>(0, *next - clock.boot_ns()));
    }
    return true;
  }

  EventLoop loop;
  ManualClock clock;
  Timers timers;

 private:
  template <class T>
  static Task<void> store(Task<T> task, std::shared_ptr<std::optional<T>> result) {
    result->emplace(co_await std::move(task));
  }
  static Task<bool> then_true(Task<void> task) {
    co_await std::move(task);
    co_return true;
  }
};

}  // namespace nissa::test
