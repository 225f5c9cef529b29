#include "slo/match_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "slo/cell.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

namespace {

Criterion random_criterion(std::mt19937_64& random, std::int64_t threshold_ns) {
  Criterion criterion;
  criterion.kind = random() % 3 == 0 ? SliKind::availability : SliKind::latency;
  criterion.threshold_ns = threshold_ns;
  criterion.failures = random() % 2 == 0 ? Failures::bad : Failures::ignored;
  if (random() % 4 == 0) criterion.good = OutcomeMask::from_bits(static_cast<std::uint8_t>(random()));
  if (random() % 4 == 0) criterion.ignore = OutcomeMask::from_bits(static_cast<std::uint8_t>(random()));
  return criterion;
}

}  // namespace

TEST_CASE("the tables of any match set agree with the definition of good, also with 64 thresholds") {
  auto random = nissa::test::random_for(13);
  for (int round = 0; round < 40; ++round) {
    std::vector<Member> members;
    const std::size_t size = round == 0 ? 64 : random() % 65;
    for (std::size_t i = 0; i < size; ++i) {
      const auto threshold = static_cast<std::int64_t>(round == 0 ? 10 * i + 10 : 10 * (random() % 30) + 10);
      members.push_back({static_cast<SloId>(3 * i), random_criterion(random, threshold)});
      if (round == 0) members.back().criterion.kind = SliKind::latency;
    }
    const MatchSet set(members, 0);
    CHECK(set.class_count() <= 330);
    CHECK(set.class_count() < 1u << cell_class_bits);
    for (int probe = 0; probe < 500; ++probe) {
      const Outcome outcome = all_outcomes[random() % outcome_count];
      const std::int64_t duration = random() % 5 == 0 ? no_duration : static_cast<std::int64_t>(random() % 700);
      const std::uint32_t event_class = set.event_class(outcome, duration);
      REQUIRE(event_class < set.class_count());
      for (std::size_t i = 0; i < size; ++i) {
        REQUIRE(set.verdict(event_class, i) == verdict_of(members[i].criterion, outcome, duration));
      }
      REQUIRE((set.good_members(event_class) & ~set.counted_members(event_class)) == 0);
    }
  }
}

TEST_CASE("the same members in any order are the same set; the empty set is number 0") {
  MatchSets sets;
  CHECK(sets.intern({}) == empty_match_set);
  CHECK(sets.at(empty_match_set).members().empty());
  CHECK(sets.at(empty_match_set).counted_members(sets.at(empty_match_set).event_class(Outcome::error, 5)) == 0);
  const MatchSetId one = sets.intern({{7, {}}, {3, {}}});
  CHECK(one == sets.intern({{3, {}}, {7, {}}}));
  CHECK(one != sets.intern({{3, {}}}));
  CHECK(one != sets.intern({{7, {}}, {3, {}}}, 5));
  CHECK(std::ranges::equal(sets.at(one).members(), std::vector<SloId>{3, 7}));
}

TEST_CASE("the registry is bounded: when it is full, what is known stays known and the new is refused") {
  MatchSets sets(3);
  const MatchSetId first = sets.intern({{1, {}}});
  CHECK(sets.intern({{2, {}}}) != no_match_set);
  CHECK(sets.intern({{3, {}}}) == no_match_set);
  CHECK(sets.intern({{1, {}}}) == first);
  CHECK(sets.size() == 3);
}

TEST_CASE("the registry is bounded in bytes too: sets of many SLOs and thresholds fill it sooner than small ones") {
  constexpr std::size_t most_bytes = 1 << 20;
  std::uint32_t made_of_few = 0;
  for (const SloId size : {2u, 60u}) {
    MatchSets sets(1u << 18, most_bytes);
    std::vector<Member> members;
    for (SloId i = 0; i < size; ++i) {
      Criterion latency{.kind = SliKind::latency, .threshold_ns = 10 + i};
      members.push_back({i, latency});
    }
    const MatchSetId first = sets.intern(members);
    std::uint32_t more = 1;
    for (; more < 100'000; ++more) {
      members.back().slo = 1000 + more;
      if (sets.intern(members) == no_match_set) break;
    }
    CHECK(sets.memory_bytes() <= most_bytes);
    CHECK(sets.memory_bytes() > most_bytes / 2);
    CHECK(more >= 100);
    members.back().slo = size - 1;
    CHECK(sets.intern(members) == first);
    if (size == 2) made_of_few = more;
    if (size == 60) CHECK(more * 5 < made_of_few);
  }
}

TEST_CASE("sets are read while others are interned") {
  MatchSets sets;
  const auto work = [&] {
    for (SloId slo = 0; slo < 3000; ++slo) {
      const MatchSetId id = sets.intern({{slo, {}}});
      if (sets.at(id).members()[0] != slo) return false;
    }
    return true;
  };
  bool other_sound = false;
  std::thread other([&] { other_sound = work(); });
  const bool sound = work();
  other.join();
  CHECK(sound);
  CHECK(other_sound);
  CHECK(sets.size() == 3001);
}

TEST_CASE("a cell's key gives back what it was made of") {
  const std::uint64_t key = cell_key((1u << 24) - 1, 1023, (1 << 30) - 1);
  CHECK(set_of(key) == (1u << 24) - 1);
  CHECK(class_of(key) == 1023);
  CHECK(bucket_of_cell(key) == (1 << 30) - 1);
  CHECK(set_of(cell_key(5, 1023, 7)) == 5);
  CHECK(class_of(cell_key(5, 0, (1 << 30) - 1)) == 0);
}
