#include "slo/coverage.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "slo/life_row.hpp"
#include "slo/window.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

TEST_CASE("a window is measured from the birth on, less the gaps") {
  const std::vector<Gap> gaps{{0, 50}, {90, 120}, {150, 160}, {190, 500}};
  const auto unmeasured = [&](std::int64_t from, std::int64_t to, std::int64_t born) {
    return coverage_of(from, to, gaps, born).unmeasured_ms;
  };
  CHECK(unmeasured(100, 200, 0) == 20 + 10 + 10);
  CHECK(unmeasured(100, 200, 110) == 20 + 10 + 10);  // born in a gap
  CHECK(unmeasured(100, 200, 130) == 30 + 10 + 10);
  CHECK(unmeasured(100, 200, not_born) == 100);
  CHECK(unmeasured(60, 80, 0) == 0);
  CHECK(unmeasured(200, 300, 0) == 100);
  CHECK(coverage_of(100, 200, gaps, 0).ratio() == 0.6);
  CHECK(coverage_of(200, 200, gaps, 0).ratio() == 1.0);
}

TEST_CASE("coverage agrees with a look at every millisecond") {
  auto random = nissa::test::random_for(16);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Gap> gaps;
    std::int64_t at = 0;
    while (at < 300) {
      const std::int64_t from = at + 1 + static_cast<std::int64_t>(random() % 60);
      at = from + 1 + static_cast<std::int64_t>(random() % 40);
      gaps.push_back({from, at});
    }
    const auto start = static_cast<std::int64_t>(random() % 300);
    const std::int64_t now = start + static_cast<std::int64_t>(random() % 200);
    const auto born = static_cast<std::int64_t>(random() % 400);
    std::int64_t expected = 0;
    for (std::int64_t ms = start; ms < now; ++ms) {
      bool measured = ms >= born;
      for (const Gap& gap : gaps) measured = measured && (ms < gap.from_ms || ms >= gap.to_ms);
      expected += measured ? 0 : 1;
    }
    CHECK(coverage_of(start, now, gaps, born).unmeasured_ms == expected);
  }
}

TEST_CASE("a window's length is as cut on its grid") {
  const nissa::UnixMs now = 20'000 * day_ms + 59'999;
  CHECK(coverage_of(window_start_ms(windows[window_5m], now), now, {}, 0).length_ms == 5 * minute_ms + 9'999);
  CHECK(coverage_of(window_start_ms(windows[window_30d], now), now, {}, 0).length_ms == 30 * day_ms + 59'999);
}
