#include "async/timer.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "async/strand.hpp"
#include "support/hand_loop.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace nissa;
using nissa::test::HandLoop;

namespace {

Task<void> note_after(Timers& timers, std::int64_t ns, std::vector<std::int64_t>& notes) {
  if (co_await timers.sleep_for(ns) == Slept::elapsed) notes.push_back(ns);
}

Task<void> note_lateness(Timers& timers, BootNs deadline, std::vector<std::int64_t>& late_ns) {
  if (co_await timers.sleep_until(deadline) == Slept::elapsed) late_ns.push_back(timers.now() - deadline);
}

Task<void> work_all_day(Timers& timers, std::uint64_t seed, BootNs until, std::vector<std::uint64_t>& trace) {
  std::mt19937_64 random(seed);
  while (timers.now() < until) {
    const auto pause = static_cast<std::int64_t>(random() % (200 * ns_per_s) + 1);
    if (co_await timers.sleep_for(pause) == Slept::cancelled) co_return;
    trace.push_back(seed ^ static_cast<std::uint64_t>(timers.now()));
  }
}

std::vector<std::uint64_t> a_day(std::uint64_t seed) {
  HandLoop hand;
  std::vector<std::uint64_t> trace;
  const BootNs until = hand.clock.boot_ns() + 86'400 * ns_per_s;
  for (std::uint64_t i = 0; i < 100; ++i) hand.loop.spawn(work_all_day(hand.timers, seed + i, until, trace));
  hand.pass(86'700 * ns_per_s);
  CHECK(hand.loop.alive() == 0);
  return trace;
}

Task<void> count_cancelled(Timers& timers, int& cancelled) {
  if (co_await timers.sleep_for(3'600 * ns_per_s) == Slept::cancelled) ++cancelled;
}

}  // namespace

TEST_CASE("sleepers wake in the order of their deadlines, and only when the hand has turned the clock there") {
  HandLoop hand;
  std::vector<std::int64_t> notes;
  for (std::int64_t ns : {30, 10, 20}) hand.loop.spawn(note_after(hand.timers, ns, notes));
  hand.settle();
  CHECK(notes.empty());
  hand.pass(19);
  CHECK(notes == std::vector<std::int64_t>{10});
  hand.pass(11);
  CHECK(notes == std::vector<std::int64_t>{10, 20, 30});
}

TEST_CASE("a simulated day of a hundred coroutines is the same in every run with the same seed") {
  const auto first = a_day(nissa::test::seed());
  CHECK(first.size() > 80'000);
  CHECK(first == a_day(nissa::test::seed()));
}

TEST_CASE("stopping the timers cancels those who sleep and those who come later") {
  HandLoop hand;
  int cancelled = 0;
  for (int i = 0; i < 10; ++i) hand.loop.spawn(count_cancelled(hand.timers, cancelled));
  hand.settle();
  hand.timers.stop();
  hand.settle();
  CHECK(cancelled == 10);
  hand.loop.spawn(count_cancelled(hand.timers, cancelled));
  hand.settle();
  CHECK(cancelled == 11);
}

TEST_CASE("a deadline that was cancelled is not called, and one that was called cannot be cancelled") {
  HandLoop hand;
  int called = 0;
  const TimerId first = hand.timers.call_at(hand.timers.now() + 5, [&](Slept) { ++called; });
  const TimerId second = hand.timers.call_at(hand.timers.now() + 5, [&](Slept) { ++called; });
  CHECK(hand.timers.cancel(first));
  hand.pass(5);
  CHECK(called == 1);
  CHECK(!hand.timers.cancel(second));
}

TEST_CASE("driven by the machine's clock, sleeps on many threads all end, none before its deadline") {
  SystemClock clock;
  EventLoop loop(2);
  Timers timers(loop, clock);
  Strand strand(loop);
  std::vector<std::int64_t> late_ns;
  for (std::int64_t ms : {3, 1, 2}) spawn_on(strand, note_lateness(timers, timers.now() + ms * ns_per_ms, late_ns));
  loop.release();
  std::thread other([&] { loop.run(); });
  loop.run();
  other.join();
  CHECK(late_ns.size() == 3);
  for (std::int64_t ns : late_ns) CHECK(ns >= 0);
}

TEST_CASE("a sleep that nothing would end keeps the loop until the timers are stopped") {
  SystemClock clock;
  EventLoop loop;
  Timers timers(loop, clock);
  int cancelled = 0;
  loop.spawn(count_cancelled(timers, cancelled));
  loop.run_ready();
  loop.release();
  timers.stop();
  loop.run();
  CHECK(cancelled == 1);
}
