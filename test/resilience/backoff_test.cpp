#include "resilience/backoff.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/seed.hpp"

namespace nissa::resilience {
namespace {

constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("the ceiling doubles from 0.1 s to 30 s and stays there") {
  Backoff backoff;
  for (const std::int64_t ms : {100, 200, 400, 800, 1'600, 3'200, 6'400, 12'800, 25'600, 30'000, 30'000}) {
    CHECK(backoff.ceiling_ns() == ms * ns_per_ms);
    CHECK(backoff.failed(most) == ms * ns_per_ms);
  }
  for (int i = 0; i < 1'000; ++i) CHECK(backoff.failed(most) == 30 * ns_per_s);
}

TEST_CASE("the least random number gives no delay at all: that is what full jitter means") {
  Backoff backoff;
  CHECK(backoff.failed(0) == 0);
  CHECK(backoff.failed(0) == 0);
}

TEST_CASE("a success starts from the beginning") {
  Backoff backoff;
  for (int i = 0; i < 7; ++i) backoff.failed(most);
  CHECK(backoff.failures() == 7);
  backoff.succeeded();
  CHECK(backoff.failures() == 0);
  CHECK(backoff.ceiling_ns() == ns_per_s / 10);
}

TEST_CASE("delays lie within the ceiling and fill it evenly, whatever the options") {
  auto random = test::random_for(1);
  for (int round = 0; round < 200; ++round) {
    BackoffOptions options;
    options.first_ns = 1 + static_cast<std::int64_t>(random() % 1'000'000'000'000ULL);
    options.longest_ns = options.first_ns + static_cast<std::int64_t>(random() >> (1 + random() % 63));
    if (options.longest_ns < options.first_ns) options.longest_ns = std::numeric_limits<std::int64_t>::max() - 1;
    Backoff backoff(options);
    double filled = 0;
    for (int i = 0; i < 200; ++i) {
      const std::int64_t ceiling = backoff.ceiling_ns();
      REQUIRE(ceiling >= options.first_ns);
      REQUIRE(ceiling <= options.longest_ns);
      const std::int64_t delay = backoff.failed(random());
      REQUIRE(delay >= 0);
      REQUIRE(delay <= ceiling);
      filled += static_cast<double>(delay) / static_cast<double>(ceiling);
    }
    // The mean of 200 uniform draws: 0.5, standard deviation 0.0204; seven of them.
    CHECK(filled / 200 > 0.357);
    CHECK(filled / 200 < 0.643);
  }
}

}  // namespace
}  // namespace nissa::resilience
