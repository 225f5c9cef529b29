#include "ledger/state_rewriter.hpp"

#include <doctest/doctest.h>

#include "history.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "support/fake_journal.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;
using journal::CommitResult;

namespace {

journal::JournalResult<Recovered> recovered(test::FakeDisk& disk) {
  test::FakeJournal journal(disk);
  return recover(journal, disk.last_lsn, test::History::options());
}

// A ledger whose commits all succeed, until its state is told to go into a new file.
struct Life {
  explicit Life(std::mt19937_64& random_in) : random(random_in), history(random_in) {
    REQUIRE(journal.start());
    journal.finish_at_once(true);
  }
  void step() {
    const Record record = history.next(ledger);
    journal::Commit commit{.lsn = record.lsn, .record = encode(record)};
    writer.ride(ledger, commit);
    journal.commit(std::move(commit), [&](CommitResult result) { REQUIRE(result == CommitResult::durable); });
    writer.settled(true);
    ledger.apply(record);
  }
  // Returns the record that vouches for it.
  Record rewrite() {
    StateRewriter rewriter(ledger, writer.catalog().highest() + 1);
    for (bool last = false; !last;) {
      journal::Rewrite piece = rewriter.next(ledger);
      last = piece.last;
      journal.rewrite(std::move(piece), [&](CommitResult result) { REQUIRE(result == CommitResult::durable); });
    }
    ledger.apply(rewriter.record());
    Record record = rewriter.record();
    writer.begin_anew(std::move(rewriter).catalog());
    return record;
  }

  std::mt19937_64& random;
  test::History history;
  test::FakeDisk disk;
  test::FakeJournal journal{disk};
  Ledger ledger{test::History::options()};
  SnapshotWriter writer{{.every_ms = 60'000, .slice_rows = 50}, {}, {}};
};

}  // namespace

TEST_CASE("a new file holds the same state, and all that comes after it, snapshots too") {
  auto random = test::random_for(0x4e3);
  for (int round = 0; round < 30; ++round) {
    Life life(random);
    for (int rewrites = 0; rewrites < 4; ++rewrites) {
      for (auto steps = random() % 120; steps > 0; --steps) life.step();
      const auto from_old_file = recovered(life.disk);
      REQUIRE_MESSAGE(from_old_file.has_value(), from_old_file.error().message);
      from_old_file->ledger->apply(life.rewrite());
      CHECK(life.ledger.state_hash() == from_old_file->ledger->state_hash());
      const auto found = recovered(life.disk);
      REQUIRE_MESSAGE(found.has_value(), found.error().message);
      CHECK(found->ledger->state_hash() == life.ledger.state_hash());
      CHECK(found->records == 1);
      CHECK(found->catalog.rows() == life.writer.catalog().rows());
      CHECK(found->unneeded.empty());
      CHECK(life.disk.records.size() == 1);
    }
    for (auto steps = random() % 200; steps > 0; --steps) life.step();
    const auto found = recovered(life.disk);
    REQUIRE_MESSAGE(found.has_value(), found.error().message);
    CHECK(found->ledger->state_hash() == life.ledger.state_hash());
  }
}

TEST_CASE("a state without a record goes into a new file as well") {
  auto random = test::random_for(0x4e4);
  Life life(random);
  life.rewrite();
  const auto found = recovered(life.disk);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  CHECK(found->ledger->applied() == 1);
  CHECK(found->ledger->state_hash() == life.ledger.state_hash());
}
