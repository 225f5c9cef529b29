#include "ledger/recovery.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "history.hpp"
#include "ledger/reassembled.hpp"
#include "ledger/record.hpp"
#include "ledger/row_bytes.hpp"
#include "ledger/snapshot_writer.hpp"
#include "support/fake_journal.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

journal::JournalResult<Recovered> recovered(test::FakeDisk& disk) {
  test::FakeJournal journal(disk);
  return recover(journal, disk.last_lsn, test::History::options());
}

// A ledger whose commits all succeed.
struct Steady {
  explicit Steady(std::mt19937_64& random) : history(random) {}
  void step() {
    const Record record = history.next(ledger);
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    writer.ride(ledger, commit);
    disk.apply(commit);
    writer.settled(true);
    ledger.apply(record);
  }
  void snapshot() {
    writer.request();
    for (const std::uint64_t before = writer.completed(); writer.completed() == before;) step();
  }
  test::History history;
  test::FakeDisk disk;
  Ledger ledger{test::History::options()};
  SnapshotWriter writer{{.every_ms = INT64_MAX / 2, .slice_rows = 20}, {}, {}};
};

// Of the newest complete snapshot.
test::FakeDisk::RowKey complete_row(const test::FakeDisk& disk) {
  const Bytes key = key_of(snapshot_complete);
  test::FakeDisk::RowKey newest;
  for (const auto& [row, value] : disk.rows)
    if (row.first == key) newest = row;
  return newest;
}

}  // namespace

TEST_CASE("a new state is empty and live") {
  test::FakeDisk disk;
  const auto found = recovered(disk);
  REQUIRE(found.has_value());
  CHECK(found->ledger->applied() == 0);
  CHECK(found->snapshot == 0);
  CHECK(found->ledger->state_hash() == Ledger(test::History::options()).state_hash());
}

TEST_CASE("while a snapshot is being written the one before it is used") {
  auto random = test::random_for(0x2ec);
  Steady steady(random);
  for (int i = 0; i < 50; ++i) steady.step();
  steady.snapshot();
  const Generation first = steady.writer.catalog().kept().back().generation;
  steady.writer.request();
  do steady.step();
  while (!steady.writer.writing());
  const auto found = recovered(steady.disk);
  REQUIRE(found.has_value());
  CHECK(found->snapshot == first);
  CHECK(found->ledger->state_hash() == steady.ledger.state_hash());
}

TEST_CASE("without its complete row the newest snapshot is as if it had never been: the older one and more records") {
  auto random = test::random_for(0x2ed);
  for (int round = 0; round < 20; ++round) {
    Steady steady(random);
    for (int i = 0; i < 50; ++i) steady.step();
    steady.snapshot();
    for (int i = 0; i < 20; ++i) steady.step();
    steady.snapshot();
    const std::vector<KeptSnapshot> kept = steady.writer.catalog().kept();
    REQUIRE(kept.size() == 2);
    CHECK(recovered(steady.disk)->snapshot == kept[1].generation);
    steady.disk.rows.erase(complete_row(steady.disk));
    const auto older = recovered(steady.disk);
    REQUIRE_MESSAGE(older.has_value(), older.error().message);
    CHECK(older->snapshot == kept[0].generation);
    CHECK(older->ledger->state_hash() == steady.ledger.state_hash());
  }
}

TEST_CASE("from either kept snapshot, and put together again from its objects, it is the same state") {
  auto random = test::random_for(0x2f1);
  for (int round = 0; round < 10; ++round) {
    Steady steady(random);
    for (int snapshot = 0; snapshot < 3; ++snapshot) {
      for (int i = 0; i < 30; ++i) steady.step();
      steady.snapshot();
    }
    for (int i = 0; i < 10; ++i) steady.step();
    for (const KeptSnapshot& kept : steady.writer.catalog().kept()) {
      test::FakeJournal journal(steady.disk);
      const auto found = recover(journal, steady.disk.last_lsn, test::History::options(), kept.generation);
      REQUIRE_MESSAGE(found.has_value(), found.error().message);
      CHECK(found->snapshot == kept.generation);
      CHECK(found->ledger->state_hash() == steady.ledger.state_hash());
      const auto again = reassembled(*found->ledger, test::History::options());
      REQUIRE_MESSAGE(again.has_value(), again.error().message);
      CHECK((*again)->state_hash() == steady.ledger.state_hash());
    }
    test::FakeJournal journal(steady.disk);
    const auto from_nothing = recover(journal, steady.disk.last_lsn, test::History::options(), 0);
    REQUIRE(!from_nothing.has_value());
    CHECK(from_nothing.error().damage == journal::Damage::gap);
  }
}

TEST_CASE("a snapshot without any version of its rows, a record that is missing, an end too early: each is said") {
  auto random = test::random_for(0x2ee);
  Steady steady(random);
  for (int i = 0; i < 50; ++i) steady.step();
  steady.snapshot();
  steady.step();

  test::FakeDisk disk = steady.disk;
  disk.rows.erase({key_of({ObjectKind::meta, 0}), steady.writer.catalog().kept().back().generation});
  auto found = recovered(disk);
  REQUIRE(!found.has_value());
  CHECK(found.error().message.contains("times and gaps"));

  disk = steady.disk;
  disk.records.erase(steady.writer.catalog().kept().back().begin_lsn);
  found = recovered(disk);
  REQUIRE(!found.has_value());
  CHECK(found.error().damage == journal::Damage::gap);

  disk = steady.disk;
  disk.records.erase(disk.last_lsn);
  found = recovered(disk);
  REQUIRE(!found.has_value());
  CHECK(found.error().damage == journal::Damage::tail_missing);
}

TEST_CASE("a record under another lsn, or of a later version, is refused by name") {
  auto random = test::random_for(0x2ef);
  Steady steady(random);
  for (int i = 0; i < 5; ++i) steady.step();

  test::FakeDisk disk = steady.disk;
  disk.records[4] = disk.records[3];
  CHECK(recovered(disk).error().damage == journal::Damage::gap);

  disk = steady.disk;
  disk.records[4][3] ^= 1;
  CHECK(recovered(disk).error().damage == journal::Damage::bad_crc);
  CHECK(recovered(disk).error().message.contains("record 4"));
}

TEST_CASE("any row that is not what was written is an error or the same state, and never a crash") {
  auto random = test::random_for(0x2f0);
  Steady steady(random);
  for (int i = 0; i < 60; ++i) steady.step();
  steady.snapshot();
  for (int i = 0; i < 10; ++i) steady.step();
  const test::ExpectViolations expected;  // a lie may be told so well that only apply sees it
  for (int round = 0; round < 300; ++round) {
    test::FakeDisk disk = steady.disk;
    auto row = disk.rows.begin();
    std::advance(row, random() % disk.rows.size());
    Bytes& value = row->second;
    if (value.empty()) continue;
    if (random() % 2 == 0)
      value.resize(random() % value.size());
    else
      value[random() % value.size()] = static_cast<Byte>(random());
    const auto found = recovered(disk);
    if (!found) CHECK(!found.error().message.empty());
  }
}
