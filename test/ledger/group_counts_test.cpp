#include "ledger/group_counts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "support/seed.hpp"

namespace {

namespace slo = nissa::slo;
using nissa::Bucket;
using nissa::ledger::BucketCount;
using nissa::ledger::CellTable;
using nissa::ledger::GroupCounts;

slo::Member latency(slo::SloId id, std::int64_t threshold_ns) {
  slo::Criterion criterion;
  criterion.kind = slo::SliKind::latency;
  criterion.threshold_ns = threshold_ns;
  return {id, criterion};
}

// Sets over SLO ids with gaps between them, some of latency, some of availability.
std::vector<slo::MatchSetId> some_sets(slo::MatchSets& sets, std::mt19937_64& random) {
  std::vector<slo::MatchSetId> ids;
  for (int i = 0; i < 30; ++i) {
    std::map<slo::SloId, slo::Member> members;
    const std::size_t count = 1 + random() % (i == 0 ? 64 : 6);
    while (members.size() < count) {
      const auto id = static_cast<slo::SloId>(random() % 1500);
      members[id] = id % 3 == 0 ? latency(id, 1000 + id) : slo::Member{id, {}};
    }
    std::vector<slo::Member> list;
    for (const auto& one : members) list.push_back(one.second);
    ids.push_back(sets.intern(list));
  }
  return ids;
}

}  // namespace

TEST_CASE("cells of many batches expand to the counts of each SLO and bucket, ascending, each once") {
  auto random = nissa::test::random_for(201);
  slo::MatchSets sets;
  const auto ids = some_sets(sets, random);
  GroupCounts counts(random());
  for (int group = 0; group < 20; ++group) {
    std::map<std::pair<slo::SloId, Bucket>, std::pair<std::uint64_t, std::uint64_t>> expected;
    for (int batch = 0; batch < 40; ++batch) {
      std::vector<slo::Cell> cells;
      for (std::size_t i = random() % 60; i > 0; --i) {
        const slo::MatchSetId id = random() % 20 == 0 ? slo::empty_match_set : ids[random() % ids.size()];
        const slo::MatchSet& set = sets.at(id);
        const auto event_class = static_cast<std::uint32_t>(random() % set.class_count());
        const auto bucket =
            static_cast<Bucket>(170'000'000 + (random() % 4 == 0 ? random() % (group % 3 == 0 ? 300'000 : 2000) : 0));
        const auto events = static_cast<std::uint32_t>(random() % 9 == 0 ? ~0u : 1 + random() % 100);
        cells.push_back({slo::cell_key(id, event_class, bucket), events});
        for (std::size_t m = 0; m < set.members().size(); ++m) {
          const slo::Verdict verdict = set.verdict(event_class, m);
          if (verdict == slo::Verdict::ignored) continue;
          auto& sum = expected[{set.members()[m], bucket}];
          sum.first += verdict == slo::Verdict::good ? events : 0;
          sum.second += events;
        }
      }
      counts.add(cells);
    }
    std::vector<BucketCount> got = counts.expand(sets);
    CHECK(std::ranges::is_sorted(got, {}, [](const BucketCount& one) { return std::pair(one.slo, one.bucket); }));
    REQUIRE(got.size() == expected.size());
    for (const BucketCount& count : got) {
      const auto found = expected.find({count.slo, count.bucket});
      REQUIRE(found != expected.end());
      CHECK(count.good == found->second.first);
      CHECK(count.total == found->second.second);
    }
    CHECK(counts.cells() == 0);
    CHECK(counts.expand(sets).empty());
  }
}

TEST_CASE("the same cells give the same record whatever the seed of the table") {
  auto random = nissa::test::random_for(202);
  slo::MatchSets sets;
  const auto ids = some_sets(sets, random);
  GroupCounts one(1);
  GroupCounts two(2);
  std::vector<slo::Cell> cells;
  for (int i = 0; i < 5000; ++i)
    cells.push_back({slo::cell_key(ids[random() % ids.size()], static_cast<std::uint32_t>(random() % 5),
                                   static_cast<Bucket>(1000 + random() % 300)),
                     1});
  one.add(cells);
  two.add(cells);
  CHECK(one.expand(sets) == two.expand(sets));
}

TEST_CASE("a table that was once full serves small groups, and gives memory back after some seconds of them") {
  CellTable table(7);
  for (std::uint64_t key = 1; key <= 100'000; ++key) table.at(key) += key;
  CHECK(table.size() == 100'000);
  for (std::uint64_t key = 1; key <= 100'000; ++key) CHECK(table.at(key) == key);
  const std::size_t full = table.bytes();
  for (int group = 0; group < 20'000; ++group) {
    table.take_all([](std::uint64_t, std::uint64_t) {});
    CHECK(table.size() == 0);
    table.make_room(3);
    for (std::uint64_t key = 1; key <= 3; ++key) {
      CHECK(table.at(key * 1000 + static_cast<unsigned>(group)) == 0);
      table.at(key * 1000 + static_cast<unsigned>(group)) = 5;
    }
  }
  CHECK(table.bytes() < full / 50);
}
