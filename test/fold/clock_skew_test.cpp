#include "fold/clock_skew.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/seed.hpp"

using nissa::ns_per_s;
using nissa::fold::AgentClock;
using nissa::fold::ClockSkew;

namespace {
constexpr std::int64_t now_ns = 1'749'995'200 * ns_per_s;
std::uint64_t at(std::int64_t ns) { return static_cast<std::uint64_t>(ns); }
}  // namespace

TEST_CASE("a clock that is ahead by more than two seconds shifts event times, whatever the delay hides of it") {
  ClockSkew skew;
  skew.batch(at(now_ns + 3 * ns_per_s), now_ns);
  CHECK(skew.shift_ns() == 3 * ns_per_s);
  skew.batch(at(now_ns + 10 * ns_per_s), now_ns + 5 * ns_per_s);
  CHECK(skew.shift_ns() == 5 * ns_per_s);
  skew.batch(at(now_ns), now_ns + 60 * ns_per_s);  // held for a minute
  CHECK(skew.shift_ns() == 5 * ns_per_s);
}

TEST_CASE("two seconds and less are no skew") {
  ClockSkew skew;
  skew.batch(at(now_ns + 2 * ns_per_s), now_ns);
  CHECK(skew.shift_ns() == 0);
}

TEST_CASE("a clock put right is believed after sixteen batches") {
  ClockSkew skew;
  skew.batch(at(now_ns + 100 * ns_per_s), now_ns);
  for (int i = 0; i < 15; ++i) {
    skew.batch(at(now_ns), now_ns);
    CHECK(skew.shift_ns() == 100 * ns_per_s);
  }
  skew.batch(at(now_ns), now_ns);
  CHECK(skew.shift_ns() == 0);
}

TEST_CASE("a held or retried batch is not a skewed one") {
  ClockSkew skew;
  for (int i = 0; i < 100; ++i) skew.batch(at(now_ns), now_ns + 600 * ns_per_s);
  CHECK(skew.shift_ns() == 0);
}

TEST_CASE("that a clock is behind is believed of a round trip under a second only") {
  ClockSkew skew;
  skew.exchange(at(now_ns - 50 * ns_per_s), now_ns, std::nullopt);
  CHECK(skew.shift_ns() == 0);
  skew.exchange(at(now_ns - 45 * ns_per_s), now_ns + 5 * ns_per_s, 3 * ns_per_s);
  CHECK(skew.shift_ns() == 0);
  skew.exchange(at(now_ns - 40 * ns_per_s), now_ns + 10 * ns_per_s, 200'000'000);
  CHECK(skew.shift_ns() == -50 * ns_per_s + 100'000'000);
}

TEST_CASE("a heartbeat that was held itself does not make a clock look behind") {
  ClockSkew skew;
  skew.exchange(at(now_ns), now_ns, std::nullopt);
  // Sent 5 s later, read after half a minute of holding; the round trip is that of the exchange before.
  skew.exchange(at(now_ns + 5 * ns_per_s), now_ns + 35 * ns_per_s, 1'000'000);
  CHECK(skew.shift_ns() == 0);
  skew.exchange(at(now_ns + 40 * ns_per_s), now_ns + 40 * ns_per_s, 500'000'000);
  CHECK(skew.shift_ns() == 0);
}

TEST_CASE("a clock that was behind and is put right is not shifted any more") {
  ClockSkew skew;
  skew.exchange(at(now_ns - 50 * ns_per_s), now_ns, std::nullopt);
  skew.exchange(at(now_ns - 50 * ns_per_s), now_ns, 1000);
  CHECK(skew.shift_ns() < -49 * ns_per_s);
  skew.batch(at(now_ns), now_ns);
  CHECK(skew.shift_ns() == 0);
}

TEST_CASE("trusted clocks are never shifted, and what is not told is not used") {
  ClockSkew trusted(AgentClock::trusted);
  trusted.batch(at(now_ns + 100 * ns_per_s), now_ns);
  CHECK(trusted.shift_ns() == 0);
  ClockSkew silent;
  silent.batch(0, now_ns);
  silent.exchange(0, now_ns, 5);
  silent.exchange(0, now_ns, 5);
  CHECK(silent.shift_ns() == 0);
}

TEST_CASE("the estimate never exceeds the true skew, and any 64 bits are borne") {
  auto random = nissa::test::random_for(721);
  for (int round = 0; round < 1000; ++round) {
    const std::int64_t truth = static_cast<std::int64_t>(random() % 200) * ns_per_s - 100 * ns_per_s;
    ClockSkew skew;
    std::int64_t time = now_ns;
    std::optional<std::uint64_t> round_trip;
    for (int step = 0; step < 50; ++step) {
      const auto delay = static_cast<std::int64_t>(random() % (random() % 4 == 0 ? 60 : 1)) * ns_per_s +
                         static_cast<std::int64_t>(random() % 1'000'000);
      time += delay;
      if (random() % 3 == 0) {
        skew.exchange(at(time - delay + truth), time, round_trip);
        round_trip = static_cast<std::uint64_t>(delay + 1'000'000);  // its ack took a millisecond
      } else {
        skew.batch(at(time - delay + truth), time);
      }
      CHECK(skew.shift_ns() <= std::max<std::int64_t>(truth, 0) + ns_per_s);
      CHECK(skew.shift_ns() >= std::min<std::int64_t>(truth, 0) - ns_per_s);
    }
  }
  ClockSkew wild;
  wild.batch(std::numeric_limits<std::uint64_t>::max(), now_ns);
  CHECK(wild.shift_ns() > 0);
  wild.exchange(1, now_ns, std::numeric_limits<std::uint64_t>::max());
}
