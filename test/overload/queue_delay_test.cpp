#include "overload/queue_delay.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "overload/retry_after.hpp"
#include "support/seed.hpp"

namespace {
using namespace nissa;
using namespace nissa::overload;
constexpr std::int64_t ms = ns_per_ms;
}  // namespace

TEST_CASE(
    "a class is never refused while its line was empty, or again and again someone waited little, in the last second") {
  auto random = nissa::test::random_for(821);
  int refused = 0;
  for (int round = 0; round < 100; ++round) {
    QueueDelay delay(500 * ms, 25 * ms);
    BootNs now = 0, empty_at = 0;
    std::deque<BootNs> line;
    std::vector<BootNs> lucky{0};  // when someone left who had waited no longer than the target
    const auto arrivals = 1 + random() % 20, departures = 1 + random() % 20;
    for (int step = 0; step < 3000; ++step) {
      now += static_cast<std::int64_t>(random() % 3) * ms;
      if (random() % 20 < arrivals) {
        delay.entered(now);
        line.push_back(now);
      } else if (random() % 20 < departures && !line.empty()) {
        const std::int64_t waited = now - line.front();
        if (waited <= 25 * ms) lucky.push_back(now);
        delay.left(now, waited);
        line.pop_front();
      }
      if (line.empty()) empty_at = now;
      if (!delay.refuses(now)) continue;
      ++refused;
      if (now - empty_at < 500 * ms) FAIL_CHECK("refused, but the line was empty");
      // What was judged last are 500 ms that ended at most 500 ms ago; nobody was lucky in them.
      BootNs longest = 0, before = now;
      for (auto it = lucky.rbegin(); it != lucky.rend() && before > now - 1010 * ms; ++it) {
        longest = std::max(longest, before - *it);
        before = *it;
      }
      if (longest < 495 * ms) FAIL_CHECK("refused, but again and again someone waited little");
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a line that stands for a second with every wait above the target is refused") {
  QueueDelay delay(500 * ms, 25 * ms);
  for (int i = 0; i < 100; ++i) delay.entered(0);
  for (BootNs now = 30 * ms; now < 1000 * ms; now += 10 * ms) {
    delay.left(now, 26 * ms);
    delay.entered(now);
    CHECK(delay.refuses(now) == (now >= 500 * ms));
  }
}

TEST_CASE("one who waited no longer than the target clears the class at the end of the interval") {
  QueueDelay delay(500 * ms, 25 * ms);
  for (int i = 0; i < 100; ++i) delay.entered(0);
  delay.left(400 * ms, 400 * ms);
  CHECK(delay.refuses(500 * ms));
  delay.left(700 * ms, 25 * ms);
  CHECK(delay.refuses(999 * ms));
  CHECK(!delay.refuses(1000 * ms));
}

TEST_CASE("a line in which nobody moves is refused too") {
  QueueDelay delay(500 * ms, 25 * ms);
  delay.entered(0);
  CHECK(!delay.refuses(499 * ms));
  CHECK(delay.refuses(500 * ms));
}

TEST_CASE("an empty line re-opens at once") {
  QueueDelay delay(500 * ms, 25 * ms);
  delay.entered(0);
  delay.entered(0);
  CHECK(delay.refuses(600 * ms));
  delay.left(610 * ms, 610 * ms);
  CHECK(delay.refuses(610 * ms));
  delay.left(620 * ms, 620 * ms);
  CHECK(!delay.refuses(620 * ms));
  delay.entered(630 * ms);
  CHECK(!delay.refuses(1100 * ms));
}

TEST_CASE("a class without a target is never refused") {
  QueueDelay delay(500 * ms, 0);
  for (int i = 0; i < 1000; ++i) delay.entered(0);
  delay.left(10'000 * ms, 10'000 * ms);
  CHECK(!delay.refuses(20'000 * ms));
}

TEST_CASE("leaving without having entered is a violation, and no line of minus one") {
  QueueDelay delay(500 * ms, 25 * ms);
  {
    nissa::test::ExpectViolations expected;
    delay.left(0, 0);
    CHECK(expected.seen() == 1);
  }
  delay.entered(0);
  delay.left(1, 1);
  CHECK(!delay.refuses(600 * ms));
}

TEST_CASE("retry_after is backlog by drain rate, within bounds, times one to two") {
  const Options options;
  CHECK(retry_after_ms(10'000'000, 1e6, 0, options) == 10'000);
  CHECK(retry_after_ms(10'000'000, 1e6, 1, options) == 20'000);
  CHECK(retry_after_ms(10, 1e9, 0, options) == 100);
  CHECK(retry_after_ms(10, 1e9, 0.5, options) == 150);
  CHECK(retry_after_ms(1, 0, 0, options) == 60'000);
  CHECK(retry_after_ms(0, 0, 0, options) == 100);
  CHECK(retry_after_ms(~std::size_t{0}, 1, 1, options) == 120'000);
}

TEST_CASE("the drain rate finds a steady rate within seconds and fades when nothing drains") {
  DrainRate rate;
  CHECK(rate.bytes_per_s(5 * ns_per_s) == 0);
  BootNs now = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += ms;
    rate.drained(1000, now);
  }
  CHECK(rate.bytes_per_s(now) == doctest::Approx(1e6).epsilon(0.02));
  CHECK(rate.bytes_per_s(now + 20 * ns_per_s) < 1);
}
