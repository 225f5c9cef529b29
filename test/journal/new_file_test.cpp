// The move to a new file where the one in use is lost to us: no room at a start, or somebody took it away.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>

#include "journal/state_dir.hpp"
#include "journal_helpers.hpp"
#include "support/manual_clock.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::CommitResult;

namespace {

constexpr std::uint64_t for_good = 1'000'000;

journal::Commit small(journal::Lsn lsn) {
  return {.lsn = lsn, .record = Bytes(100, static_cast<Byte>(lsn)), .put = {{{1}, lsn, Bytes(50)}}};
}

CommitResult rewrite_and_wait(journal::Journal& journal, journal::Rewrite piece) {
  std::promise<CommitResult> result;
  journal.rewrite(std::move(piece), [&](CommitResult r) { result.set_value(r); });
  return result.get_future().get();
}
// The state is one row; record `lsn` vouches for it.
CommitResult move_on(journal::Journal& journal, journal::Lsn lsn) {
  const CommitResult first = rewrite_and_wait(journal, {.first = true, .commit = {.put = {{{1}, 9, Bytes(70)}}}});
  return first == CommitResult::durable
             ? rewrite_and_wait(journal, {.last = true, .commit = {.lsn = lsn, .record = {7}}})
             : first;
}

// A state of three records.
void begin_state(const journal::Options& options) {
  auto opened = journal::open_journal(options, system_clock());
  REQUIRE(opened->journal->start());
  for (journal::Lsn lsn = 1; lsn <= 3; ++lsn)
    REQUIRE(commit_and_wait(*opened->journal, small(lsn)) == CommitResult::durable);
}

}  // namespace

TEST_CASE("a start on a full disk is one, and goes on in a new file once there is room") {
  PowerCutDisk disk;
  const TempDir directory;
  auto options = options_for(directory.path());
  options.vfs = disk.vfs();
  begin_state(options);
  disk.restart();
  {
    auto opened = journal::open_journal(options, system_clock());
    REQUIRE(opened);
    REQUIRE(opened->last_lsn == 3);
    disk.fail_write("-wal", 1, disk_full, for_good);
    REQUIRE(opened->journal->start());
    CHECK(opened->journal->trouble().kind == journal::Trouble::Kind::failed);
    CHECK(opened->journal->trouble().text.contains("full"));
    CHECK(commit_and_wait(*opened->journal, small(4)) == CommitResult::unknown);
    CHECK(move_on(*opened->journal, 4) == CommitResult::unknown);
    disk.heal();
    CHECK(move_on(*opened->journal, 4) == CommitResult::durable);
    CHECK(opened->journal->trouble().kind == journal::Trouble::Kind::none);
    CHECK(commit_and_wait(*opened->journal, small(5)) == CommitResult::durable);
  }
  disk.cut_now();
  disk.reboot(1, Survival::nothing);
  auto opened = journal::open_journal(options, system_clock());
  REQUIRE_MESSAGE(opened, opened.error().message);
  CHECK(opened->last_lsn == 5);
  CHECK(contents(*opened->journal, 4)->rows.size() == 2);
}

// What a move to a new file leaves that ends between the first slot of ANCHOR and its sync: a kill shows the new file
// to the next start, a power cut the old one.
TEST_CASE("a start on a full disk deletes no other database: after a power cut ANCHOR may still name that one") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    PowerCutDisk disk;
    const TempDir directory;
    auto options = options_for(directory.path());
    options.vfs = disk.vfs();
    begin_state(options);
    {
      auto opened = journal::open_journal(options, system_clock());
      REQUIRE(opened->journal->start());
      disk.fail_sync("ANCHOR", 1, io_fsync, for_good);
      CHECK(move_on(*opened->journal, 4) == CommitResult::unknown);
    }
    disk.restart();
    disk.heal();
    {
      auto opened = journal::open_journal(options, system_clock());
      REQUIRE(opened);
      REQUIRE(opened->last_lsn == 4);
      disk.fail_write("-wal", 1, disk_full, for_good);
      REQUIRE(opened->journal->start());
    }
    disk.cut_now();
    disk.reboot(seed);
    disk.heal();
    auto opened = journal::open_journal(options, system_clock());
    REQUIRE_MESSAGE(opened, opened.error().message);
    CHECK(opened->last_lsn >= 3);
    REQUIRE(opened->journal->start());
    int databases = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory.path()))
      databases += entry.path().extension() == ".db";
    CHECK(databases == 1);
  }
}

TEST_CASE("a birth on a full disk is none: nobody was promised anything yet") {
  PowerCutDisk disk;
  const TempDir directory;
  auto options = options_for(directory.path());
  options.vfs = disk.vfs();
  auto opened = journal::open_journal(options, system_clock());
  REQUIRE(opened);
  disk.fail_write("-wal", 1, disk_full, for_good);
  CHECK_FALSE(opened->journal->start());
}

TEST_CASE("files that somebody deletes or replaces under it are noticed within a second, and all is in a new one") {
  for (const char* name : {"state-1.db", "state-1.db-wal", "ANCHOR"}) {
    for (const bool replaced : {false, true}) {
      CAPTURE(name);
      CAPTURE(replaced);
      const TempDir directory;
      ManualClock clock;
      journal::Lsn last = 0;
      {
        auto opened = journal::open_journal(options_for(directory.path()), clock);
        REQUIRE(opened->journal->start());
        REQUIRE(commit_and_wait(*opened->journal, small(1)) == CommitResult::durable);
        clock.advance(ns_per_s);
        REQUIRE(commit_and_wait(*opened->journal, small(2)) == CommitResult::durable);
        const auto file = std::filesystem::path(directory.path()) / name;
        std::filesystem::copy_file(file, file.string() + ".copy");
        std::filesystem::remove(file);
        if (replaced) std::filesystem::copy_file(file.string() + ".copy", file);
        journal::Lsn next = 3;
        while (commit_and_wait(*opened->journal, small(next)) == CommitResult::durable) {  // into nothing
          REQUIRE(++next < 6);
          clock.advance(ns_per_s);
        }
        CHECK(opened->journal->trouble().text.contains("was deleted or replaced by another program"));
        CHECK(move_on(*opened->journal, next) == CommitResult::durable);
        for (last = next + 1; last <= next + 4; ++last) {
          CHECK(commit_and_wait(*opened->journal, small(last)) == CommitResult::durable);
          clock.advance(ns_per_s);
        }
      }
      auto opened = open_at(directory.path());
      REQUIRE_MESSAGE(opened, opened.error().message);
      CHECK(opened->last_lsn + 1 == last);
    }
  }
}

TEST_CASE(
    "where the state's directory is on another file system by now nothing is begun, until the right one is back") {
  const TempDir directory;
  std::string other = journal::identity_of("/tmp")->device == journal::identity_of(directory.path())->device
                          ? "/dev/shm/nissa-test-XXXXXX"
                          : "/tmp/nissa-test-XXXXXX";
  REQUIRE(mkdtemp(other.data()) != nullptr);
  const std::filesystem::path link = directory / "link";
  const std::filesystem::path state = directory / "state";
  std::filesystem::create_directory(state);
  std::filesystem::create_directory_symlink(state, link);
  ManualClock clock;
  journal::Lsn last = 1;
  {
    auto opened = journal::open_journal(options_for(link), clock);
    REQUIRE(opened->journal->start());
    REQUIRE(commit_and_wait(*opened->journal, small(1)) == CommitResult::durable);
    std::filesystem::remove(link);
    std::filesystem::create_directory_symlink(other, link);
    do {
      REQUIRE(++last < 5);
      clock.advance(ns_per_s);
    } while (commit_and_wait(*opened->journal, small(last)) == CommitResult::durable);  // on the disk that it began on
    CHECK(move_on(*opened->journal, last) == CommitResult::unknown);
    CHECK(opened->journal->trouble().text.contains("is on another file system than at the start"));
    CHECK(std::filesystem::is_empty(other));
    std::filesystem::remove_all(other);
    std::filesystem::remove(link);
    std::filesystem::create_directory_symlink(state, link);
    CHECK(move_on(*opened->journal, last) == CommitResult::durable);
    CHECK(commit_and_wait(*opened->journal, small(++last)) == CommitResult::durable);
  }
  auto opened = open_at(state);
  REQUIRE_MESSAGE(opened, opened.error().message);
  CHECK(opened->last_lsn == last);
}
