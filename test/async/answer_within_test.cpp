#include "async/answer_within.hpp"

#include <doctest/doctest.h>

#include "support/hand_loop.hpp"

using namespace nissa;
using test::HandLoop;

namespace {

Task<int> after(Timers& timers, std::int64_t ns, int answer) {
  if (ns > 0) (void)co_await timers.sleep_for(ns);
  co_return answer;
}

struct Asked {
  std::optional<int> answer;
  std::int64_t took_ns = 0;
};
Asked ask(HandLoop& hand, std::int64_t answer_ns, std::int64_t deadline_ns) {
  const BootNs before = hand.clock.boot_ns();
  const auto got =
      hand.get(answer_within(hand.loop, hand.timers, deadline_ns, after(hand.timers, answer_ns, 42)), 60 * ns_per_s);
  REQUIRE(got.has_value());
  return {*got, hand.clock.boot_ns() - before};
}

}  // namespace

TEST_CASE("an answer that comes in time is passed on when it comes") {
  HandLoop hand;
  CHECK(ask(hand, 0, ns_per_s).answer == 42);
  const Asked later = ask(hand, ns_per_s - 1, ns_per_s);
  CHECK(later.answer == 42);
  CHECK(later.took_ns == ns_per_s - 1);
}

TEST_CASE("an answer that is late is not waited for, and does no harm when it comes") {
  HandLoop hand;
  const Asked late = ask(hand, 5 * ns_per_s, ns_per_s);
  CHECK(!late.answer);
  CHECK(late.took_ns == ns_per_s);
  hand.pass(10 * ns_per_s);
  CHECK(hand.loop.alive() == 0);
}

TEST_CASE("when the timers are stopped nobody is kept waiting") {
  HandLoop hand;
  hand.timers.stop();
  CHECK(ask(hand, 0, ns_per_s).took_ns == 0);
}
