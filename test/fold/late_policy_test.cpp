#include "fold/late_policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::fold;

namespace {

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t century_ns = std::int64_t{100} * 366 * 24 * 3600 * ns_per_s;

// By definition, in numbers wide enough for anything.
Timing by_definition(std::uint64_t told_ns, UnixMs now_ms, std::int64_t skew_ns) {
  const __int128 ours_ns = static_cast<__int128>(told_ns) - skew_ns;
  if (ours_ns > static_cast<__int128>(now_ms + 10'000) * ns_per_ms) return Timing::in_the_future;
  const UnixMs oldest_ms = std::max<UnixMs>(now_ms / hour_ms * hour_ms - 30 * 24 * hour_ms, 0);
  return ours_ns < static_cast<__int128>(oldest_ms) * ns_per_ms ? Timing::too_old : Timing::on_time;
}

std::uint64_t some_time(std::mt19937_64& random, UnixMs now_ms, std::int64_t skew_ns) {
  const auto told = static_cast<std::uint64_t>(now_ms * ns_per_ms + skew_ns);
  const auto edge_ns =
      static_cast<std::uint64_t>((now_ms / hour_ms * hour_ms - 30 * 24 * hour_ms) * ns_per_ms + skew_ns);
  switch (random() % 6) {
    case 0:
      return random();
    case 1:
      return random() % 3;
    case 2:
      return told + 10 * static_cast<std::uint64_t>(ns_per_s) + random() % 3 - 1;
    case 3:
      return edge_ns + random() % 3 - 1;
    case 4:
      return ~std::uint64_t{0} - random() % 3;
    default:
      return told - random() % static_cast<std::uint64_t>(24 * hour_ms * ns_per_ms);
  }
}

}  // namespace

TEST_CASE("any 64 bits as a time, at any skew that is borne, are judged as by definition, and counted at our time") {
  auto random = test::random_for(731);
  int on_time = 0;
  for (int round = 0; round < 200'000; ++round) {
    const UnixMs now_ms = static_cast<UnixMs>(random() % 7'000'000'000'000) >> (random() % 3 == 0 ? random() % 40 : 0);
    std::int64_t skew_ns = 0;
    if (random() % 2 == 0) skew_ns = static_cast<std::int64_t>(random() % (2ULL * century_ns)) - century_ns;
    if (random() % 4 == 0) skew_ns = -now_ms * ns_per_ms - static_cast<std::int64_t>(random() % 40) * ns_per_s;
    skew_ns = std::max(skew_ns, -century_ns);
    const std::uint64_t told = some_time(random, now_ms, skew_ns);
    const CountedTimes times({}, now_ms, skew_ns);
    CAPTURE(told);
    CAPTURE(now_ms);
    CAPTURE(skew_ns);
    REQUIRE(times.judge(told) == by_definition(told, now_ms, skew_ns));
    if (times.judge(told) != Timing::on_time) continue;
    ++on_time;
    const auto ours_ns = static_cast<std::int64_t>(static_cast<__int128>(told) - skew_ns);
    REQUIRE(times.bucket(told) == bucket_of(ours_ns / ns_per_ms));
  }
  CHECK(on_time > 20'000);
}

TEST_CASE("up to 10 s ahead is on time, a nanosecond more is the future; the oldest hour of 30 days counts") {
  constexpr UnixMs now_ms = 1'749'995'200'000;
  const CountedTimes times({}, now_ms, 0);
  const auto at = [](UnixMs ms) { return static_cast<std::uint64_t>(ms * ns_per_ms); };
  CHECK(times.judge(at(now_ms + 10'000)) == Timing::on_time);
  CHECK(times.judge(at(now_ms + 10'000) + 1) == Timing::in_the_future);
  const UnixMs oldest_ms = now_ms / hour_ms * hour_ms - 30 * 24 * hour_ms;
  CHECK(times.judge(at(oldest_ms)) == Timing::on_time);
  CHECK(times.judge(at(oldest_ms) - 1) == Timing::too_old);
}

TEST_CASE("an event without a time arrives within what counts") {
  constexpr UnixMs now_ms = 1'749'995'200'000;
  const CountedTimes times({}, now_ms, 5 * ns_per_s);
  CHECK(times.arrival_bucket(now_ms - 60'000) == bucket_of(now_ms - 60'000));
  CHECK(times.arrival_bucket(now_ms + 3'600'000) == bucket_of(now_ms + 10'000));
  CHECK(times.arrival_bucket(0) == bucket_of(now_ms / hour_ms * hour_ms - 30 * 24 * hour_ms));
}
