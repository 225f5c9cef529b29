#include "slo/burn_rate.hpp"

#include <doctest/doctest.h>

#include "slo/slo_state.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

namespace {
constexpr BurnFactor fast{72, 5};  // 14.4
Objective objective(const char* text) { return Objective::parse(text).value(); }
}  // namespace

TEST_CASE("a burn rate is compared exactly: on the threshold is not above it") {
  // 99.9 %: 14.4 is 1.44 % bad.
  CHECK(!burns_faster_than(fast, {10'000 - 144, 10'000}, objective("99.9")));
  CHECK(burns_faster_than(fast, {10'000 - 145, 10'000}, objective("99.9")));
  CHECK(!burns_faster_than(fast, {9'999, 10'000}, objective("99.99")));
  // As doubles, 0.001 · 14.4 is above 0.0144 by rounding; a million times the same ratio must give the same answer.
  for (std::uint64_t scale = 1; scale < 1'000'000'000'000; scale *= 7) {
    CHECK(!burns_faster_than(fast, {scale * (10'000 - 144), scale * 10'000}, objective("99.9")));
  }
}

TEST_CASE("a rate is exact also next to 2^64 events") {
  constexpr std::uint64_t most = ~0ULL;
  CHECK(!burns_faster_than(sustainable, {most / 2 + 1, most}, objective("50")));
  CHECK(burns_faster_than(sustainable, {most / 2, most}, objective("50")));
  CHECK(burns_faster_than({1'000'000'000, 1'000'000}, {0, most}, objective("99.999")));
}

TEST_CASE("no events are no rate: neither 0 nor infinite") {
  CHECK(!burns_faster_than(sustainable, {}, objective("99.9")));
  CHECK(!burn_rate({}, objective("99.9")).has_value());
  CHECK(!error_ratio({}).has_value());
}

TEST_CASE("14.4 can never be passed at 93.05 %, and can at 93.06 %") {
  CHECK(!burns_faster_than(fast, {0, 1'000'000}, objective("93.05")));
  CHECK(burns_faster_than(fast, {0, 1'000'000}, objective("93.06")));
}

TEST_CASE("what is displayed is the plain quotient") {
  CHECK(*burn_rate({985, 1000}, objective("99.9")) == doctest::Approx(15.0));
  CHECK(*burn_rate({0, 10}, objective("99.9")) == 1000.0);
  CHECK(*error_ratio({75, 100}) == 0.25);
}

TEST_CASE("the integers agree with the rationals for any counts") {
  auto random = nissa::test::random_for(15);
  for (int round = 0; round < 10'000; ++round) {
    const std::uint64_t total = random() % 5000;
    const std::uint64_t bad = total == 0 ? 0 : random() % (total + 1);
    const auto target = Objective::from_parts(1 + random() % 99'999'999).value();
    const BurnFactor factor{1 + random() % 1000, 1 + random() % 50};
    const long double rate = total == 0 ? 0 : static_cast<long double>(bad) * 1e8L / target.budget_parts() / total;
    const long double limit = static_cast<long double>(factor.numerator) / factor.denominator;
    if (std::abs(rate - limit) < 1e-9L * limit) continue;  // there doubles can't tell
    CHECK(burns_faster_than(factor, {total - bad, total}, target) == (rate > limit));
  }
}

TEST_CASE("the state: no data, healthy, burning when over both 1 h and 5 min, exhausted") {
  const Objective target = objective("99");
  WindowCounts sums{};
  CHECK(state_of(sums, {}, target) == SloState::no_data);
  CHECK(state_of(sums, {990, 1000}, target) == SloState::healthy);  // spent to the last: not exhausted
  CHECK(state_of(sums, {989, 1000}, target) == SloState::exhausted);
  sums[window_1h] = {90, 100};
  CHECK(state_of(sums, {9990, 10'000}, target) == SloState::healthy);  // over, 5 min ago
  sums[window_5m] = {99, 100};
  CHECK(state_of(sums, {9990, 10'000}, target) == SloState::healthy);  // exactly sustainable
  sums[window_5m] = {98, 100};
  CHECK(state_of(sums, {9990, 10'000}, target) == SloState::burning);
  CHECK(name_of(SloState::no_data) == "no_data");
}
