#include "ledger/ledger.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "history.hpp"
#include "ledger/ledger_clock.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

constexpr UnixMs day = 24 * 3'600'000LL;
constexpr UnixMs noon = 1'700'000'000'000 / day * day + day / 2;

// All that was ever counted, added up by definition.
struct BruteForce {
  std::vector<BucketCount> counts;
  std::map<slo::SloId, UnixMs> born;

  void apply(const Record& record) {
    for (const BucketCount& count : record.counts) {
      counts.push_back(count);
      born.try_emplace(count.slo, record.ledger_ms);
    }
  }
  slo::Counts sum(slo::SloId slo, std::int64_t from, std::int64_t to) const {
    slo::Counts sum;
    for (const BucketCount& count : counts)
      if (count.slo == slo && count.bucket >= from && count.bucket <= to) sum += {count.good, count.total};
    return sum;
  }
};

struct Records {
  Ledger ledger{LedgerOptions{.state_id = 1}};
  Record at(UnixMs now) const {
    const Stamp stamp = ledger.next_stamp(now);
    return {.lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms};
  }
  void count(UnixMs now, std::vector<BucketCount> counts) {
    Record record = at(now);
    record.counts = std::move(counts);
    ledger.apply(record);
  }
  void tick(UnixMs now) { ledger.apply(at(now)); }
};

}  // namespace

TEST_CASE("lifetime and every window are what a count over all events says, through lateness, gaps and jumps") {
  auto random = test::random_for(0xb4f);
  for (int round = 0; round < 10; ++round) {
    test::History history(random);
    Ledger ledger(test::History::options());
    BruteForce truth;
    for (int i = 0; i < 200; ++i) {
      const Record record = history.next(ledger);
      ledger.apply(record);
      truth.apply(record);
      if (i % 10 != 0) continue;
      const Bucket head = bucket_of(ledger.ledger_ms());
      for (const auto& [slo, born] : truth.born) {
        const slo::Block& block = *ledger.block(slo::block_of(slo));
        CHECK(block.life(slo::lane_of(slo)).lifetime == truth.sum(slo, 0, INT32_MAX));
        CHECK(block.life(slo::lane_of(slo)).born == born);
        for (std::size_t w = 0; w < slo::window_count; ++w) {
          const std::int64_t start = slo::window_start_ms(slo::windows[w], ledger.ledger_ms()) / bucket_ms;
          CHECK(block.window_sums(slo::lane_of(slo))[w] == truth.sum(slo, start, head));
        }
      }
    }
  }
}

TEST_CASE("distances between records of more than 20 s are gaps, and do not run") {
  Records records;
  records.tick(noon);
  records.tick(noon + 20'000);
  CHECK(records.ledger.running_ms() == 20'000);
  CHECK(records.ledger.gaps().all().empty());
  records.tick(noon + 40'001);
  CHECK(records.ledger.running_ms() == 20'000);
  REQUIRE(records.ledger.gaps().all().size() == 1);
  CHECK(records.ledger.gaps().all()[0] == slo::Gap{noon + 20'000, noon + 40'001});
  records.tick(noon + 40'001 + 32 * day);
  REQUIRE(records.ledger.gaps().all().size() == 1);
  CHECK(records.ledger.gaps().all()[0].from_ms == noon + 40'001);
}

TEST_CASE("a clock that says less than the last record did moves neither ledger time nor running time") {
  Records records;
  records.tick(noon);
  records.tick(noon + 10'000);
  for (const std::int64_t back : {std::int64_t{1}, std::int64_t{10'000}, day}) {
    const Stamp stamp = records.ledger.next_stamp(noon + 10'000 - back);
    CHECK(stamp.lsn == records.ledger.applied() + 1);
    CHECK(stamp.ledger_ms == noon + 10'000);
    CHECK(stamp.running_ms == 10'000);
  }
}

TEST_CASE("the first record of a state begins its time: what was before is no gap") {
  Records records;
  records.tick(noon);
  CHECK(records.ledger.gaps().all().empty());
  CHECK(records.ledger.running_ms() == 0);
}

TEST_CASE("a broken count is applied as far as it goes, and its SLO is quarantined, also after replay") {
  const test::ExpectViolations expected;
  Records records;
  records.tick(noon);
  records.count(noon, {{3, bucket_of(noon) + 7, 1, 1}, {4, bucket_of(noon), 1, 1}});
  CHECK(expected.seen() > 0);
  CHECK(records.ledger.quarantined(3));
  CHECK(!records.ledger.quarantined(4));
  CHECK(records.ledger.block(0)->life(4).lifetime.total == 1);
  const std::uint64_t hash = records.ledger.state_hash();
  Bytes meta;
  records.ledger.encode_object({ObjectKind::meta, 0}, meta);
  Ledger loaded(LedgerOptions{.state_id = 1}, Ledger::Mode::replaying);
  REQUIRE(loaded.load_object({ObjectKind::meta, 0}, meta, 2).has_value());
  CHECK(loaded.quarantined(3));
  CHECK(records.ledger.state_hash() == hash);
}

TEST_CASE("a record that is in already is not applied again") {
  const test::ExpectViolations expected;
  Records records;
  records.tick(noon);
  Record record = records.at(noon + 1'000);
  record.counts = {{0, bucket_of(noon), 1, 2}};
  records.ledger.apply(record);
  const std::uint64_t hash = records.ledger.state_hash();
  records.ledger.apply(record);
  CHECK(records.ledger.state_hash() == hash);
  CHECK(expected.seen() == 1);
}

TEST_CASE("the hash tells states apart by any one thing in them") {
  auto random = test::random_for(0x4a5);
  test::History history(random);
  Ledger ledger(test::History::options());
  std::map<std::uint64_t, Lsn> seen;
  for (int i = 0; i < 200; ++i) {
    ledger.apply(history.next(ledger));
    CHECK(seen.emplace(ledger.state_hash(), ledger.applied()).second);
  }
}

TEST_CASE("blocks that a record does not touch are brought forward in slices, and by whoever reads them") {
  Records records;
  records.count(noon, {{0, bucket_of(noon), 1, 1}, {256, bucket_of(noon), 1, 1}, {512, bucket_of(noon), 1, 1}});
  CHECK(records.ledger.catch_up(0));
  records.tick(noon + 300'000);
  CHECK(!records.ledger.catch_up(1));
  CHECK(!records.ledger.catch_up(1));
  CHECK(records.ledger.block(2)->window_sums(0)[slo::window_5m].total == 1);
  records.tick(noon + 310'000);
  CHECK(records.ledger.block(2)->window_sums(0)[slo::window_5m].total == 0);
  CHECK(records.ledger.catch_up(100));
}
