#include "slo/budget.hpp"

#include <doctest/doctest.h>

#include "slo/block.hpp"
#include "slo/burn_rate.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

namespace {

// 30 days in which a day hour has ten times the traffic of a night hour (12 h each), one hour of it a total outage.
// The share of the budget that this hour spent, in percent.
double spent_by_an_outage_in(bool day_hour) {
  const Objective target = Objective::parse("99.9").value();
  const std::int64_t begin_ms = 20'000 * day_ms;
  Block block(begin_ms);
  const std::int64_t outage_hour = 15 * 24 + (day_hour ? 6 : 18);
  for (std::int64_t hour = 0; hour < 30 * 24; ++hour) {
    const std::uint64_t events = hour % 24 < 12 ? 1000 : 100;
    for (std::int64_t bucket = 0; bucket < 360; bucket += 36) {
      const nissa::UnixMs at_ms = begin_ms + hour * hour_ms + bucket * nissa::bucket_ms;
      block.advance(at_ms);
      block.add(0, nissa::bucket_of(at_ms), {hour == outage_hour ? 0 : events, events}, 1);
    }
  }
  block.advance(begin_ms + 30 * day_ms);
  return 100.0 * (1.0 - *budget_remaining(block.window_sums(0)[window_30d], target));
}

}  // namespace

TEST_CASE("uneven traffic: an hour's outage spends by events, not by time") {
  CHECK(spent_by_an_outage_in(true) == doctest::Approx(252.5).epsilon(0.0002));
  CHECK(spent_by_an_outage_in(false) == doctest::Approx(25.25).epsilon(0.0002));
}

TEST_CASE("zero events, then the first event ever is a failure: the budget moves at that event") {
  const Objective target = Objective::parse("99.9").value();
  Block block(20'000 * day_ms);
  CHECK(!budget_remaining(block.window_sums(3)[window_30d], target).has_value());
  CHECK(!exhausted(block.window_sums(3)[window_30d], target));
  block.add(3, nissa::bucket_of(20'000 * day_ms), {0, 1}, 1);
  CHECK(*budget_remaining(block.window_sums(3)[window_30d], target) == doctest::Approx(-999.0));
  CHECK(exhausted(block.window_sums(3)[window_30d], target));
}

TEST_CASE("remaining is signed, and exhausted says the sign in integers") {
  const Objective target = Objective::parse("99").value();
  CHECK(*budget_remaining({100, 100}, target) == 1.0);
  CHECK(*budget_remaining({99, 100}, target) == 0.0);
  CHECK(!exhausted({99, 100}, target));
  CHECK(*budget_remaining({98, 100}, target) == -1.0);
  CHECK(exhausted({98, 100}, target));
}

TEST_CASE("the projected budget is diluted by what was not measured, and is the raw one when all was") {
  const Objective target = Objective::parse("99").value();
  CHECK(*budget_remaining_projected({98, 100}, target, 30 * day_ms, 30 * day_ms) == -1.0);
  CHECK(*budget_remaining_projected({98, 100}, target, 15 * day_ms, 30 * day_ms) == 0.0);
  CHECK(*budget_remaining_projected({98, 100}, target, 0, 0) == -1.0);  // at least 1 s of both
  CHECK(*budget_remaining_projected({98, 100}, target, 5, 4000) == doctest::Approx(0.5));
  CHECK(!budget_remaining_projected({}, target, 1, 1).has_value());
}

TEST_CASE("what is displayed is the exact quotient's nearest double: no 0.9990000000000001, whatever the traffic") {
  auto random = nissa::test::random_for(22);
  // Of 99.9 % a million parts of the budget are 1 000 events in a million: `spent` of a million parts were spent.
  const Objective target = Objective::parse("99.9").value();
  constexpr std::uint64_t parts = 1'000'000;
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t scale = 1 + random() % (1ULL << (random() % 30));
    const std::uint64_t spent = random() % (round % 4 == 0 ? 100 * parts : parts + 1);
    const Counts counts{1000 * parts * scale - spent * scale, 1000 * parts * scale};
    CAPTURE(spent);
    CAPTURE(scale);
    REQUIRE(*burn_rate(counts, target) == static_cast<double>(spent) / parts);
    const double left = static_cast<double>(static_cast<std::int64_t>(parts - spent)) / parts;
    REQUIRE(*budget_remaining(counts, target) == left);
    const auto length = static_cast<std::int64_t>(1000 + random() % static_cast<std::uint64_t>(30 * day_ms));
    REQUIRE(*budget_remaining_projected(counts, target, length, length) == left);
  }
  CHECK(*budget_remaining({9991, 10'000}, target) == 0.1);  // not 0.09999999999999998
  CHECK(target.ratio() == 0.999);
}

TEST_CASE("OpenSLO's budgeting example: spent at the 14 298th request of the attack, no sooner") {
  // Two weeks of 24 000 requests a day, 1 % of them bad; of the attack's, on top of them, 99 %.
  const Objective target = Objective::parse("95").value();
  constexpr std::uint64_t normal = 14 * 24'000;
  const auto spent_by = [&](std::uint64_t attack) {
    const std::uint64_t bad = normal / 100 + attack * 99 / 100;
    return exhausted({normal + attack - bad, normal + attack}, target);
  };
  std::uint64_t attack = 0;
  while (!spent_by(attack)) ++attack;
  CHECK(attack == 14'298);
  CHECK(attack * 99 / 100 == 14'155);
}
