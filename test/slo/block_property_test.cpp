// Rings and running sums against the oracle that looks at every event.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "oracle/brute_force_slo.hpp"
#include "slo/block.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

namespace {

const std::vector<std::uint32_t> lanes{0, 1, 77, 255};

struct Model {
  Block block;
  nissa::oracle::BruteForceSlo oracle;
  std::uint64_t lsn = 0;

  void add(std::uint32_t lane, nissa::UnixMs at_ms, bool good, std::uint64_t times) {
    block.add(lane, nissa::bucket_of(at_ms), {good ? times : 0, times}, ++lsn);
    oracle.add(lane, {at_ms, good, times}, block.head_ms());
  }
  // Periods that are no standard window: from the finest ring that still holds their start, on its grid.
  void check_since(std::uint32_t lane, nissa::UnixMs from_ms) const {
    const nissa::UnixMs now_ms = block.head_ms();
    const auto start_of_ring = [now_ms](std::size_t ring) {
      return window_start_ms(windows[longest_window_of_ring[ring]], now_ms);
    };
    std::size_t ring = 0;
    while (ring + 1 < ring_count && from_ms < start_of_ring(ring)) ++ring;
    const nissa::UnixMs from_grid_ms = from_ms - from_ms % ring_specs[ring].period_ms;
    const nissa::UnixMs start_ms = std::max(from_grid_ms, start_of_ring(ring_count - 1));
    const auto expected = oracle.window(lane, now_ms, now_ms - start_ms, 1);
    const Counts sum = block.sum_since(lane, from_ms);
    REQUIRE_MESSAGE(sum == (Counts{expected.good, expected.total}), "lane ", lane, " from ", from_ms, " at ", now_ms,
                    ": ", sum.total, " is not ", expected.total);
  }
  void check() const {
    const nissa::UnixMs now_ms = block.head_ms();
    for (const std::uint32_t lane : lanes) {
      const WindowCounts sums = block.window_sums(lane);
      for (std::size_t w = 0; w < window_count; ++w) {
        const auto expected = oracle.window(lane, now_ms, windows[w].length_ms, windows[w].grid_ms());
        REQUIRE_MESSAGE(sums[w] == (Counts{expected.good, expected.total}), "lane ", lane, " window ",
                        std::string(windows[w].name), " at ", now_ms, ": ", sums[w].total, " is not ", expected.total);
        const Counts walked = block.sum_since(lane, window_start_ms(windows[w], now_ms));
        REQUIRE(walked == sums[w]);
      }
      const auto lifetime = oracle.lifetime(lane);
      REQUIRE(block.life(lane).lifetime == Counts{lifetime.good, lifetime.total});
      REQUIRE(block.life(lane).born == oracle.born(lane).value_or(not_born));
    }
  }
};

std::int64_t below(std::mt19937_64& random, std::int64_t limit) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
}

std::int64_t random_age(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return -below(random, 10 * second_ms + 1);  // ahead of the head
    case 1:
      return below(random, 10 * second_ms);
    case 2:
      return below(random, 10 * minute_ms);
    case 3:
      return below(random, 2 * hour_ms);
    case 4:
      return below(random, 8 * hour_ms);
    case 5:
      return below(random, 4 * day_ms);
    case 6:
      return below(random, 30 * day_ms);
    default:
      return below(random, 45 * day_ms);  // also too old
  }
}

// `jumpy`: how far a single step may go.
std::int64_t random_step(std::mt19937_64& random, unsigned jumpy) {
  switch (random() % (4 + 2 * jumpy)) {
    case 0:
      return below(random, 50);
    case 1:
      return below(random, 10 * second_ms);
    case 2:
      return below(random, 2 * minute_ms);
    case 3:
      return 10 * second_ms;
    case 4:
      return below(random, hour_ms);
    case 5:
      return below(random, 3 * hour_ms);
    case 6:
      return below(random, 2 * day_ms);
    default:
      return random() % 4 == 0 ? 40 * day_ms : below(random, 12 * hour_ms);
  }
}

}  // namespace

TEST_CASE("every window of every SLO equals the count over raw events, after disorder, lateness and clock steps") {
  auto random = nissa::test::random_for(18);
  for (int run = 0; run < 60; ++run) {
    const unsigned jumpy = run % 3;
    const nissa::UnixMs begin_ms = 20'000 * day_ms + below(random, 2 * hour_ms);
    Model model{Block(begin_ms), {}};
    const std::uint64_t most = run % 5 == 4 ? 3'000'000'000 : 5;  // some runs outgrow 32 bits
    for (int step = 0; step < 60; ++step) {
      for (auto n = random() % 12; n > 0; --n) {
        const std::uint32_t lane = lanes[random() % lanes.size()];
        model.add(lane, model.block.head_ms() - random_age(random), random() % 4 != 0, 1 + random() % most);
      }
      model.check();
      model.block.advance(model.block.head_ms() + random_step(random, jumpy));
      model.check();
      for (const std::uint32_t lane : lanes) {
        model.check_since(lane, model.block.head_ms() - std::abs(random_age(random)));
      }
    }
  }
}

TEST_CASE("a single count moves through every edge of every window as the oracle says") {
  auto random = nissa::test::random_for(19);
  const nissa::UnixMs begin_ms = 20'000 * day_ms + below(random, day_ms);
  Model model{Block(begin_ms), {}};
  for (std::int64_t age = 0; age < 31 * day_ms; age += age < 2 * hour_ms ? 70 * second_ms : 50 * minute_ms) {
    model.add(lanes[static_cast<std::size_t>(age) % lanes.size()], begin_ms - age, true, 1);
  }
  model.check();
  for (int edge = 0; edge < 800; ++edge) {
    model.block.advance(model.block.head_ms() + 10 * second_ms);
    model.check();
  }
}

TEST_CASE("a young clock: near 1970 nothing is older than the beginning") {
  auto random = nissa::test::random_for(20);
  Model model{Block(0), {}};
  for (int step = 0; step < 200; ++step) {
    const nissa::UnixMs at_ms = below(random, model.block.head_ms() + 10 * second_ms);
    model.add(lanes[random() % lanes.size()], at_ms, true, 1);
    model.block.advance(model.block.head_ms() + random_step(random, 1));
    model.check();
  }
}
