#include <doctest/doctest.h>

#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::CommitResult;

namespace {

journal::Options options_on(const PowerCutDisk& disk, const TempDir& directory) {
  auto options = options_for(directory.path());
  options.vfs = disk.vfs();
  return options;
}

journal::Commit small(journal::Lsn lsn) {
  return {
      .lsn = lsn, .record = Bytes(100, static_cast<Byte>(lsn)), .put = {{{static_cast<Byte>(lsn)}, 1, Bytes(5000)}}};
}

// Commits until `lsn` is durable.
void commit_up_to(journal::Journal& journal, journal::Lsn lsn, journal::Lsn from = 1) {
  for (; from <= lsn; ++from) REQUIRE(commit_and_wait(journal, small(from)) == CommitResult::durable);
}

// What is there after a restart: every acknowledged record, and nothing but what was committed.
journal::Lsn last_after_restart(const PowerCutDisk& disk, const TempDir& directory) {
  auto opened = journal::open_journal(options_on(disk, directory), system_clock());
  REQUIRE(opened);
  const auto read = contents(*opened->journal, 1);
  REQUIRE(read);
  CHECK(read->records.size() == opened->last_lsn);
  CHECK(read->rows.size() == opened->last_lsn);
  return opened->last_lsn;
}

}  // namespace

TEST_CASE("a failed fsync of a commit: fate unknown, and the file is not trusted again though SQLite would go on") {
  PowerCutDisk disk;
  const TempDir directory;
  {
    auto opened = journal::open_journal(options_on(disk, directory), system_clock());
    REQUIRE(opened->journal->start());
    commit_up_to(*opened->journal, 5);
    disk.fail_sync("-wal", 1, io_fsync);
    CHECK(commit_and_wait(*opened->journal, small(6)) == CommitResult::unknown);
    CHECK(commit_and_wait(*opened->journal, small(6)) == CommitResult::unknown);
    CHECK(opened->journal->counters().broken.value() == 1);
    CHECK(opened->journal->counters().failures.value() == 2);
  }
  CHECK(last_after_restart(disk, directory) >= 5);
}

TEST_CASE("a failed write of a commit: fate unknown; a full disk: known, and tried again") {
  for (int nth = 1; nth <= 8; ++nth) {
    CAPTURE(nth);
    PowerCutDisk disk;
    const TempDir directory;
    {
      auto opened = journal::open_journal(options_on(disk, directory), system_clock());
      REQUIRE(opened->journal->start());
      commit_up_to(*opened->journal, 5);
      disk.fail_write("-wal", nth, disk_full);
      CHECK(commit_and_wait(*opened->journal, small(6)) == CommitResult::full);
      CHECK(commit_and_wait(*opened->journal, small(6)) == CommitResult::durable);
      disk.fail_write("-wal", nth, io_write);
      CHECK(commit_and_wait(*opened->journal, small(7)) == CommitResult::unknown);
    }
    CHECK(last_after_restart(disk, directory) == 6);
  }
}

TEST_CASE("a failed checkpoint breaks the journal, a full one does not") {
  for (const int code : {io_fsync, disk_full}) {
    CAPTURE(code);
    PowerCutDisk disk;
    const TempDir directory;
    journal::Lsn durable = 0;
    {
      auto options = options_on(disk, directory);
      options.checkpoint_bytes = 40'000;
      auto opened = journal::open_journal(options, system_clock());
      REQUIRE(opened->journal->start());
      if (code == disk_full) {
        disk.fail_write("state-1.db", 1, code);
        commit_up_to(*opened->journal, 20);
        durable = 20;
        CHECK(opened->journal->counters().full.value() == 1);
        CHECK(opened->journal->counters().checkpoints.value() > 0);
      } else {
        disk.fail_sync("state-1.db", 1, code);
        while (commit_and_wait(*opened->journal, small(durable + 1)) == CommitResult::durable) REQUIRE(++durable < 50);
        CHECK(opened->journal->counters().broken.value() == 1);
      }
    }
    CHECK(last_after_restart(disk, directory) == durable);
  }
}

TEST_CASE("an ANCHOR that cannot be written stays behind and is counted; commits go on") {
  PowerCutDisk disk;
  const TempDir directory;
  {
    auto opened = journal::open_journal(options_on(disk, directory), system_clock());
    REQUIRE(opened->journal->start());
    commit_up_to(*opened->journal, 1);
    disk.fail_write("ANCHOR", 1, io_write);
    commit_up_to(*opened->journal, 3, 2);
    CHECK(opened->journal->counters().failures.value() == 1);
    CHECK(opened->journal->counters().broken.value() == 0);
  }
  CHECK(last_after_restart(disk, directory) == 3);
}

TEST_CASE("a start that cannot make durable what it read is no start") {
  for (const char* file : {"state-1.db", "ANCHOR"}) {
    CAPTURE(file);
    PowerCutDisk disk;
    const TempDir directory;
    {
      auto opened = journal::open_journal(options_on(disk, directory), system_clock());
      REQUIRE(opened->journal->start());
      commit_up_to(*opened->journal, 5);
    }
    {
      auto opened = journal::open_journal(options_on(disk, directory), system_clock());
      REQUIRE(opened);
      disk.fail_sync(file, 1, io_fsync);
      CHECK(!opened->journal->start());
    }
    CHECK(last_after_restart(disk, directory) == 5);
  }
}

TEST_CASE("the fake: a crash keeps what was durable and, by choice, what was under way") {
  for (const bool survives : {false, true}) {
    FakeDisk disk;
    auto opened = open_fake(disk);
    CHECK(opened.new_state);
    auto& fake = static_cast<FakeJournal&>(*opened.journal);
    REQUIRE(fake.start());
    CommitResult result = CommitResult::full;
    const auto done = [&](CommitResult r) { result = r; };
    fake.commit(small(1), done);
    fake.finish(CommitResult::durable);
    CHECK(result == CommitResult::durable);
    fake.commit(small(2), done);
    REQUIRE(fake.pending() != nullptr);
    fake.crash(survives);
    fake.finish(CommitResult::durable);
    CHECK(result == CommitResult::unknown);
    fake.commit(small(3), done);  // of what is left of the process
    fake.finish(CommitResult::durable);
    CHECK(result == CommitResult::unknown);
    const auto again = open_fake(disk);
    CHECK(again.last_lsn == (survives ? 2 : 1));
    CHECK(again.generation == 2);
    CHECK(contents(*again.journal, 1)->records.size() == again.last_lsn);
  }
}

TEST_CASE("the fake: full keeps the lsn, unknown may have reached the disk and ends the journal") {
  FakeDisk disk;
  auto opened = open_fake(disk);
  auto& fake = static_cast<FakeJournal&>(*opened.journal);
  REQUIRE(fake.start());
  std::vector<CommitResult> results;
  const auto done = [&](CommitResult r) { results.push_back(r); };
  fake.finish_at_once(true);
  fake.fill_up(1);
  fake.commit(small(1), done);
  fake.commit(small(1), done);
  fake.finish_at_once(false);
  fake.commit(small(2), done);
  fake.finish(CommitResult::unknown, true);
  fake.commit(small(3), done);
  fake.finish(CommitResult::durable);
  CHECK(results ==
        std::vector{CommitResult::full, CommitResult::durable, CommitResult::unknown, CommitResult::unknown});
  CHECK(disk.last_lsn == 2);
}
