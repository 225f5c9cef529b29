// The one property that most of this room hangs on: the state hash is equal live, replayed from nothing, and from a
// snapshot at any point plus replay.
#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "history.hpp"
#include "ledger/ledger.hpp"
#include "ledger/reassembled.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "support/fake_journal.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

// Slices of a few rows, so that most of what is written is written between two records that change it; sometimes large
// enough for many snapshots to complete.
SnapshotOptions small_slices(std::mt19937_64& random) {
  return {.every_ms = 30'000,
          .journal_bytes = 4'096,
          .slice_bytes = 30'000,
          .slice_rows = 4 + random() % 60,
          .slice_erasures = 4 + random() % 30};
}

std::uint64_t from_nothing(const std::vector<Record>& records) {
  Ledger ledger(test::History::options());
  for (const Record& record : records) ledger.apply(record);
  return ledger.state_hash();
}

// A ledger on a disk, which crashes and comes back.
struct Node {
  explicit Node(std::mt19937_64& shared) : random(shared), history(shared) { start(); }

  void start() {
    test::FakeJournal journal(disk);
    auto found = recover(journal, disk.last_lsn, test::History::options());
    if (!found) FAIL(found.error().message);
    recoveries_from_snapshot += found->snapshot != 0 ? 1 : 0;
    ledger = std::move(found->ledger);
    if (writer) snapshots += writer->completed();
    writer.emplace(small_slices(random), std::move(found->catalog), std::move(found->unneeded));
  }

  bool chance(unsigned percent) { return random() % 100 < percent; }

  // One group: its commit may fail and be tried again, and the machine may die with it under way.
  void step(unsigned crash_percent) {
    Record record = history.next(*ledger);
    for (;;) {
      journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
      writer->ride(*ledger, commit);
      if (chance(crash_percent)) {
        const bool reached_disk = chance(50);
        if (reached_disk) {
          disk.apply(commit);
          records.push_back(record);
        }
        ++crashes;
        start();
        return;
      }
      const bool durable = chance(90);
      if (durable) disk.apply(commit);
      writer->settled(durable);
      if (durable) break;
      if (chance(50)) record = history.next(*ledger);  // the group has grown meanwhile
    }
    ledger->apply(record);
    records.push_back(std::move(record));
    if (chance(30)) ledger->catch_up(random() % 3);
  }

  void tick() {
    const Stamp stamp = ledger->next_stamp(ledger->ledger_ms() + 10'000);
    const Record record{.lsn = stamp.lsn, .ledger_ms = stamp.ledger_ms, .running_ms = stamp.running_ms};
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    writer->ride(*ledger, commit);
    disk.apply(commit);
    writer->settled(true);
    ledger->apply(record);
    records.push_back(record);
  }

  std::mt19937_64& random;
  test::History history;
  test::FakeDisk disk;
  std::unique_ptr<Ledger> ledger;
  std::optional<SnapshotWriter> writer;
  std::vector<Record> records;
  int crashes = 0;
  int recoveries_from_snapshot = 0;
  std::uint64_t snapshots = 0;
};

std::uint64_t recovered_hash(test::FakeDisk disk) {
  test::FakeJournal journal(disk);
  auto found = recover(journal, disk.last_lsn, test::History::options());
  if (!found) FAIL(found.error().message);
  return found->ledger->state_hash();
}

}  // namespace

TEST_CASE("the state hash is equal live, replayed from nothing, and from a snapshot at any point plus replay") {
  auto random = test::random_for(0x57a7e);
  int from_snapshot = 0;
  std::uint64_t snapshots = 0;
  for (int round = 0; round < 30; ++round) {
    Node node(random);
    const unsigned crash_percent = random() % 4;
    for (int i = 0; i < 300; ++i) {
      node.step(crash_percent);
      if (random() % 10 == 0) REQUIRE(recovered_hash(node.disk) == node.ledger->state_hash());
    }
    REQUIRE(node.ledger->state_hash() == from_nothing(node.records));
    from_snapshot += node.recoveries_from_snapshot;
    snapshots += node.snapshots + node.writer->completed();
  }
  // The test would pass without a single snapshot.
  CHECK(from_snapshot > 30);
  CHECK(snapshots > 60);
}

TEST_CASE(
    "objects taken at any moments whatever, each at its own, and the records from the first moment on: the same "
    "state") {
  auto random = test::random_for(0x0b9);
  for (int round = 0; round < 60; ++round) {
    test::History history(random);
    Ledger live(test::History::options());
    // Each other time a young state: then SLOs and epochs begin while objects are taken.
    for (std::uint64_t i = random() % (round % 2 == 0 ? 150 : 5); i > 0; --i) live.apply(history.next(live));
    const Lsn begun = live.applied();
    struct Taken {
      Lsn lsn = 0;
      Bytes bytes;  // empty: there was nothing
    };
    std::map<ObjectId, Taken> taken;
    std::set<ObjectId> due;
    const auto look = [&] {
      const auto all = objects_of(live);
      due.insert(all.begin(), all.end());
    };
    look();
    const auto take = [&](ObjectId object) {
      Taken& row = taken[object];
      row.lsn = live.applied();
      live.encode_object(object, row.bytes);
    };
    std::vector<Record> records;
    for (int i = 0; i < 40; ++i) {
      for (const ObjectId object : due)
        if (random() % 20 == 0 && !taken.contains(object)) take(object);
      records.push_back(history.next(live));
      live.apply(records.back());
      if (random() % 2 == 0) look();
    }
    for (const ObjectId object : due)
      if (!taken.contains(object)) take(object);
    const Lsn complete = live.applied();
    for (std::uint64_t i = random() % 20; i > 0; --i) {
      records.push_back(history.next(live));
      live.apply(records.back());
    }
    Ledger loaded(test::History::options(), Ledger::Mode::replaying);
    for (const auto& [object, row] : taken)
      if (!row.bytes.empty()) REQUIRE(loaded.load_object(object, row.bytes, row.lsn).has_value());
    loaded.begin_replay(begun, complete);
    for (const Record& record : records) loaded.apply(record);
    loaded.go_live();
    REQUIRE(loaded.state_hash() == live.state_hash());
  }
}

TEST_CASE("of old versions of rows all that nobody needs goes") {
  auto random = test::random_for(0x3e5);
  for (int round = 0; round < 10; ++round) {
    Node node(random);
    for (int i = 0; i < 300; ++i) node.step(2);
    std::map<Bytes, int> versions;
    for (const auto& [key, value] : node.disk.rows) ++versions[key.first];
    CHECK(versions.size() == node.writer->catalog().rows());
    // Nothing changes any more but time: what is left is one version of each row, but of what time changes (tombstones
    // among them: they die of age) one a snapshot, and the next one may have begun.
    const std::uint64_t enough = node.writer->completed() + 4;
    while (node.writer->completed() < enough || node.writer->writing()) node.tick();
    node.tick();
    versions.clear();
    for (const auto& [key, value] : node.disk.rows) ++versions[key.first];
    for (const auto& [key, count] : versions) {
      const ObjectKind kind = object_of_key(key)->kind;
      if (kind != ObjectKind::tombstone) CHECK(count <= (kind > ObjectKind::meta ? 1 : 3));
    }
    CHECK(node.disk.records.begin()->first == node.writer->catalog().trim_below());
    CHECK(recovered_hash(node.disk) == node.ledger->state_hash());
  }
}
