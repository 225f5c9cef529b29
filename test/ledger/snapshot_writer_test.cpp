#include "ledger/snapshot_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "ledger/record.hpp"
#include "ledger/row_bytes.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

constexpr UnixMs noon = 1'700'000'000'000 / 3'600'000 * 3'600'000;

bool puts(const journal::Commit& commit, ObjectId object) {
  return std::ranges::any_of(commit.put, [&](const auto& row) { return row.key == key_of(object); });
}

struct Fixture {
  explicit Fixture(SnapshotOptions options = {}) : writer(options, {}, {}) {}

  // One group, `ms` after the one before; what was handed to the journal.
  journal::Commit group(UnixMs ms, bool durable = true, std::vector<BucketCount> counts = {}) {
    const Stamp stamp = ledger.next_stamp(ledger.applied() == 0 ? noon : ledger.ledger_ms() + ms);
    const Record record{
        .lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms, .counts = std::move(counts)};
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    writer.ride(ledger, commit);
    writer.settled(durable);
    if (durable) ledger.apply(record);
    return commit;
  }
  // Until it is complete; the commits of it.
  std::vector<journal::Commit> snapshot(UnixMs ms = 10) {
    writer.request();
    std::vector<journal::Commit> commits;
    for (const std::uint64_t before = writer.completed(); writer.completed() == before;) commits.push_back(group(ms));
    return commits;
  }

  Ledger ledger{LedgerOptions{.state_id = 1}};
  SnapshotWriter writer;
};

}  // namespace

TEST_CASE("a snapshot begins every minute of ledger time, or after so many bytes of records, or when asked") {
  Fixture by_time;
  by_time.group(0);
  for (int i = 0; i < 6; ++i) CHECK(!puts(by_time.group(10'000), snapshot_begin));
  CHECK(puts(by_time.group(10'000), snapshot_begin));

  Fixture by_bytes({.journal_bytes = 50});
  CHECK(!puts(by_bytes.group(1), snapshot_begin));
  int groups = 0;
  while (!puts(by_bytes.group(1), snapshot_begin)) ++groups;
  CHECK(groups < 5);

  Fixture asked;
  asked.group(0);
  asked.writer.request();
  CHECK(puts(asked.group(1), snapshot_begin));
}

TEST_CASE("the begin row comes first, the complete row last and alone, after all others are durable") {
  Fixture fixture({.slice_rows = 3});
  for (slo::SloId slo = 0; slo < 2'000; slo += 100) fixture.group(10, true, {{slo, bucket_of(noon), 1, 1}});
  const auto commits = fixture.snapshot();
  CHECK(commits.size() > 5);
  CHECK(commits.front().put.front().key == key_of(snapshot_begin));
  for (std::size_t i = 0; i + 1 < commits.size(); ++i) {
    CHECK(!puts(commits[i], snapshot_complete));
    CHECK(commits[i].put.size() <= 4);
  }
  CHECK(commits.back().put.size() == 1);
  CHECK(puts(commits.back(), snapshot_complete));
}

TEST_CASE("what rode in a commit that failed is written again, and the next commit rides light") {
  Fixture fixture;
  fixture.group(0, true, {{0, bucket_of(noon), 1, 1}});
  fixture.writer.request();
  const journal::Commit failed = fixture.group(10, false);
  CHECK(failed.put.size() > 1);
  const journal::Commit light = fixture.group(10);
  CHECK(light.put.empty());
  const journal::Commit again = fixture.group(10);
  std::set<Bytes> before;
  std::set<Bytes> after;
  for (const auto& row : failed.put) before.insert(row.key);
  for (const auto& row : again.put) after.insert(row.key);
  CHECK(before == after);
  CHECK(fixture.writer.completed() == 0);
  fixture.group(10);
  CHECK(fixture.writer.completed() == 1);
}

TEST_CASE("what an incomplete snapshot left behind is durably gone before the next one is complete") {
  // Its generation is lower than the next one's: what was left would be taken for a part of that.
  constexpr std::size_t leftovers = 50;
  RowCatalog found;
  std::vector<RowVersion> unneeded;
  for (slo::SloId slo = 0; slo < leftovers; ++slo) {
    found.note({object_of(slo), 3}, false);
    unneeded.push_back({object_of(slo), 3});
  }
  Fixture fixture;
  fixture.writer = SnapshotWriter({.slice_erasures = 4}, std::move(found), std::move(unneeded));
  fixture.writer.request();
  std::set<Bytes> erased;
  for (int i = 0; fixture.writer.completed() == 0; ++i) {
    REQUIRE(i < 200);
    const bool durable = i % 3 != 1;
    const journal::Commit commit = fixture.group(10, durable);
    if (puts(commit, snapshot_complete)) CHECK(erased.size() == leftovers);
    if (!durable) continue;
    for (const journal::RowErase& row : commit.erase) erased.insert(row.key);
  }
  CHECK(erased.size() == leftovers);
}

TEST_CASE("only what has changed since it was last written is written again") {
  Fixture fixture;
  fixture.group(0, true, {{0, bucket_of(noon), 1, 1}, {300, bucket_of(noon), 1, 1}});
  fixture.snapshot();
  fixture.group(10, true, {{300, bucket_of(noon), 1, 1}});
  std::size_t rows = 0;
  for (const journal::Commit& commit : fixture.snapshot())
    for (const auto& row : commit.put) {
      const ObjectId object = *object_of_key(row.key);
      if (object.kind == ObjectKind::block) CHECK(block_of_object(object) == 1);
      rows += object.kind == ObjectKind::block ? 1 : 0;
    }
  CHECK(rows == slo::ring_count + 1);
}

TEST_CASE("the journal is trimmed to the begin of the older of two snapshots, never of the newer") {
  Fixture fixture;
  fixture.group(0);
  fixture.snapshot();
  const Lsn first = fixture.writer.catalog().kept()[0].begin_lsn;
  CHECK(fixture.group(10).trim_below == first);
  fixture.snapshot();
  const Lsn second = fixture.writer.catalog().kept()[1].begin_lsn;
  CHECK(second > first);
  CHECK(fixture.group(10).trim_below == first);
  fixture.snapshot();
  CHECK(fixture.group(10).trim_below == second);
}

TEST_CASE("a slice is bounded in bytes but for its last row") {
  Fixture fixture({.slice_bytes = 4'000});
  std::vector<BucketCount> counts;
  for (slo::SloId slo = 0; slo < 3'000; ++slo) counts.push_back({slo, bucket_of(noon), 1, 1'000'000});
  fixture.group(0, true, counts);
  for (const journal::Commit& commit : fixture.snapshot()) {
    std::size_t bytes = 0;
    for (const auto& row : commit.put) bytes += row.value.size();
    CHECK(bytes < 4'000 + 256 * 12);
  }
}
