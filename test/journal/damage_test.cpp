// What a start finds wrong must be said, by name; never a silently shorter or other state.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>

#include "journal/anchor.hpp"
#include "journal/sqlite_store.hpp"
#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/files_in.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::Damage;

namespace {

constexpr const char* database = "state-1.db";
constexpr const char* wal = "state-1.db-wal";

// A state with records and rows in the database and more of both in the wal, as a kill leaves it.
struct Sample {
  TempDir directory;
  FakeDisk disk;
  Files files;
  Files settled;           // after one more start: the log is empty, all is in the database
  journal::Lsn first = 0;  // oldest record that recovery asks for

  Sample() {
    auto random = random_for(40);
    for (const int commits : {100, 20}) {
      auto opened = open_at(directory.path());
      REQUIRE(opened);
      REQUIRE(opened->journal->start());
      for (int count = 0; count < commits; ++count) {
        auto commit = random_commit(random, disk.last_lsn + 1);
        if (commit.record.size() > 8000) commit.record.resize(8000);
        commit.trim_below = disk.last_lsn > 30 ? disk.last_lsn - 30 : 0;
        REQUIRE(commit_and_wait(*opened->journal, commit) == journal::CommitResult::durable);
        disk.apply(commit);
      }
    }
    first = disk.records.begin()->first;
    files = read_files(directory.path());
    REQUIRE(open_at(directory.path())->journal->start());
    settled = read_files(directory.path());
  }
};

Sample& sample() {
  static Sample one;
  return one;
}

std::string name(Damage damage) { return std::string(name_of(damage)); }

// The damage that opening and reading `files` names, or "exact"; anything else fails the test.
std::string outcome(const Files& files) {
  const TempDir parent;
  const std::string directory = parent / "state";
  write_files(directory, files);
  const FakeDisk& disk = sample().disk;
  {
    auto opened = open_at(directory);
    if (!opened) return name(opened.error().damage);
    const auto read = contents(*opened->journal, sample().first);
    if (!read) return name(read.error().damage);
    if (read->rows != disk.rows || read->records != disk.records) return "another state";
    if (const auto started = opened->journal->start(); !started) return name(started.error().damage);
    const auto next = journal::Commit{.lsn = disk.last_lsn + 1, .record = Bytes(20'000, 7), .put = {{{1}, 9, {9}}}};
    if (commit_and_wait(*opened->journal, next) != journal::CommitResult::durable) return "no commit";
  }
  // What was built upon it is sound, too: no free page was one in use.
  auto again = open_at(directory);
  if (!again) return "unsound after a commit: " + again.error().message;
  const auto read = contents(*again->journal, sample().first);
  if (!read) return "unsound after a commit: " + read.error().message;
  return read->rows.size() == disk.rows.size() + 1 && read->records.size() == disk.records.size() + 1
             ? "exact"
             : "another state after a commit";
}

bool named_or_exact(const std::string& found) {
  if (found == "exact") return true;
  for (int damage = 1; damage <= static_cast<int>(Damage::rows_missing); ++damage) {
    if (found == name_of(static_cast<Damage>(damage))) return true;
  }
  return false;
}

Files without(const std::string& file) {
  Files files = sample().files;
  files.erase(file);
  return files;
}

}  // namespace

TEST_CASE("undamaged files are read exactly") { CHECK(outcome(sample().files) == "exact"); }

TEST_CASE("one flipped bit anywhere: the exact state or a named damage") {
  auto random = random_for(41);
  std::map<std::string, int> seen;
  for (const Files* pristine : {&sample().files, &sample().settled}) {
    for (const char* file : {database, wal, "ANCHOR"}) {
      const std::size_t size = pristine->at(file).size();
      const std::size_t stride = 97 * (1 + size / 30'000);
      for (std::size_t at = random() % stride; at < size; at += stride) {
        Files files = *pristine;
        files[file][at] = static_cast<char>(files[file][at] ^ (1 << random() % 8));
        const std::string found = outcome(files);
        CAPTURE(file);
        CAPTURE(at);
        CHECK_MESSAGE(named_or_exact(found), found);
        ++seen[found];
      }
    }
  }
  std::string all;
  for (const auto& [found, count] : seen) all += found + ": " + std::to_string(count) + "  ";
  CAPTURE(all);
  CHECK(seen["bad_crc"] > 0);
  CHECK(seen["tail_missing"] > 0);
}

TEST_CASE("a start leaves nothing in the log: what was read is written into the database and synced anew") {
  CHECK(!sample().files[wal].empty());
  CHECK(sample().settled[wal].empty());
  CHECK(outcome(sample().settled) == "exact");
}

TEST_CASE("every bit of the database's header: the exact state or a named damage") {
  for (std::size_t at = 0; at < 100; ++at) {
    Files files = sample().settled;
    files[database][at] = static_cast<char>(files[database][at] ^ (1 << at % 8));
    const std::string found = outcome(files);
    CAPTURE(at);
    CHECK_MESSAGE(named_or_exact(found), found);
  }
}

TEST_CASE("a file cut off at every 4 KiB: the exact state or a named damage") {
  for (const char* file : {database, wal}) {
    for (std::size_t size = 0; size < sample().files[file].size(); size += 4096) {
      Files files = sample().files;
      files[file].resize(size);
      const std::string found = outcome(files);
      CAPTURE(file);
      CAPTURE(size);
      CHECK_MESSAGE(named_or_exact(found), found);
      if (file == wal) CHECK(found == "tail_missing");
    }
  }
}

TEST_CASE("a lost log is a missing tail, and the message says which records") {
  CHECK(outcome(without(wal)) == "tail_missing");
  const TempDir parent;
  write_files(parent / "state", without(wal));
  const auto opened = open_at(parent / "state");
  REQUIRE(!opened);
  CHECK(opened.error().message.find("ends with record 100, ANCHOR knows that record 120 was on disk: 20") !=
        std::string::npos);
  CHECK(opened.error().message.find("Ways on") != std::string::npos);
  // Looking changed nothing: with the log put back, all is there.
  Files files = read_files(parent / "state");
  files[wal] = sample().files[wal];
  CHECK(outcome(files) == "exact");
}

TEST_CASE("a row that is gone, or another in its place, is missed though each row is sound") {
  const TempDir parent;
  const std::string directory = parent / "state";
  const std::string another =
      "INSERT INTO rows VALUES(x'01', 7, " + std::to_string(journal::row_crc(Bytes{1}, 7, Bytes{2})) + ", x'02')";
  for (const std::string& instead : {std::string(), another}) {
    write_files(directory, sample().settled);
    sqlite3* found = nullptr;
    REQUIRE(sqlite3_open((directory + "/" + database).c_str(), &found) == SQLITE_OK);
    const std::string sql = "DELETE FROM rows WHERE rowid = (SELECT min(rowid) FROM rows); " + instead;
    CHECK(sqlite3_exec(found, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(sqlite3_changes(found) == 1);
    sqlite3_close(found);
    CHECK(outcome(read_files(directory)) == "rows_missing");
  }
}

TEST_CASE("a header that forbids to write is damage, and not found out only by the first write") {
  for (const int bit : {0, 2, 7}) {
    Files files = sample().settled;
    files[database][18] = static_cast<char>(files[database][18] ^ (1 << bit));
    CHECK(outcome(files) == "database_damaged");
  }
}

TEST_CASE("a missing or empty database, a missing or damaged ANCHOR, and a newer version are told apart") {
  CHECK(outcome(without(database)) == "database_missing");
  Files files = sample().files;
  files[database].clear();
  CHECK(outcome(files) == "database_missing");
  CHECK(outcome(without("ANCHOR")) == "anchor_missing");
  files = without("ANCHOR");
  files.erase(database);
  CHECK(outcome(files) == "anchor_missing");  // the log alone is no empty folder: it holds what was acknowledged
  files = without("ANCHOR");
  files[database][0] = 'x';
  CHECK(outcome(files) == "anchor_missing");
  files = sample().files;
  for (const std::size_t slot : {0, 4096}) files["ANCHOR"][slot + 30] ^= 1;  // of the state's id, which may be any
  CHECK(outcome(files) == "anchor_damaged");
  files = sample().settled;
  files[database][63] = 9;
  CHECK(outcome(files) == "newer_version");
}

TEST_CASE("a database of another state, an old copy of it, or an old copy of ANCHOR is refused") {
  const TempDir parent;
  {
    auto other = open_at(parent / "other");
    REQUIRE(other->journal->start());
    for (journal::Lsn lsn = 1; lsn < 200; ++lsn) commit_and_wait(*other->journal, {.lsn = lsn});
  }
  Files files = read_files(parent / "other");
  files["ANCHOR"] = sample().files["ANCHOR"];
  CHECK(outcome(files) == "wrong_database");

  const std::string directory = parent / "state";
  write_files(directory, sample().files);
  for (int start = 0; start < 2; ++start) {
    auto opened = open_at(directory);
    REQUIRE(opened->journal->start());
    commit_and_wait(*opened->journal, {.lsn = opened->last_lsn + 1});
  }
  files = read_files(directory);
  Files old_database = files;
  old_database[database] = sample().files[database];
  old_database[wal] = sample().files[wal];
  CHECK(outcome(old_database) == "tail_missing");
  files["ANCHOR"] = sample().files["ANCHOR"];
  CHECK(outcome(files) == "anchor_damaged");
}

TEST_CASE("a birth that was cut short at any point is begun again; nothing was acknowledged yet") {
  const TempDir parent;
  const std::string directory = parent / "state";
  REQUIRE(open_at(directory));
  const Files born = read_files(directory);
  const auto is_begun_again = [&](const Files& files) {
    write_files(directory, files);
    const auto opened = open_at(directory);
    return opened && opened->new_state && opened->last_lsn == 0 && opened->journal->start();
  };
  CHECK(is_begun_again({}));
  CHECK(is_begun_again({{"ANCHOR", ""}}));
  CHECK(is_begun_again({{"ANCHOR", std::string(4608, '\0')}}));
  CHECK(is_begun_again({{"ANCHOR", born.at("ANCHOR").substr(0, 512)}}));
  CHECK(is_begun_again({{"ANCHOR", born.at("ANCHOR")}}));
  CHECK(is_begun_again({{"ANCHOR", born.at("ANCHOR")}, {wal, std::string(10'000, 'x')}}));
  CHECK(is_begun_again(born));
  for (std::size_t size = 0; size < born.at(database).size(); size += 512) {
    CAPTURE(size);
    Files files = born;
    files[database].resize(size);
    CHECK(is_begun_again(files));
    files[database].resize(born.at(database).size());  // with its length, but not its bytes
    CHECK(is_begun_again(files));
    files = born;
    for (std::size_t at = size; at < size + 512; ++at) files[database][at] ^= '\x5a';
    CHECK(is_begun_again(files));
  }
}

TEST_CASE("a database without ANCHOR is never taken for a birth, whatever it is like and whatever its number") {
  for (const char* anchor : {"missing", "blank"}) {
    CAPTURE(anchor);
    Files files = sample().settled;
    files.erase("ANCHOR");
    if (anchor == std::string("blank")) files["ANCHOR"] = std::string(4608, '\0');
    CHECK(outcome(files) == "anchor_missing");
    Files torn = files;
    torn[database].resize(20'000);
    CHECK(outcome(torn) == "anchor_missing");
    torn[database].clear();
    CHECK(outcome(torn) == "anchor_missing");
    Files later = files;
    later["state-12.db"] = later[database];
    later.erase(database);
    later.erase(wal);
    CHECK(outcome(later) == "anchor_missing");
    later.erase("state-12.db");
    later["state-12.db-wal"] = sample().files[wal];
    CHECK(outcome(later) == "anchor_missing");
  }
}

TEST_CASE("beside a state, an ANCHOR from before its first start is an old copy, and nothing is deleted") {
  const TempDir parent;
  REQUIRE(open_at(parent / "born"));
  const Files born = read_files(parent / "born");
  const auto refused = [&](Files files) {
    files["ANCHOR"] = born.at("ANCHOR");
    files.erase("lock");
    const std::string directory = parent / "state";
    write_files(directory, files);
    const auto opened = open_at(directory);
    Files left = read_files(directory);
    left.erase("lock");
    left.erase("state-1.db-wal");  // SQLite may begin one
    files.erase("state-1.db-wal");
    CHECK(left == files);
    return opened ? "taken" : name(opened.error().damage);
  };
  CHECK(refused(sample().files) == "anchor_damaged");
  CHECK(refused(sample().settled) == "anchor_damaged");
  Files torn = sample().settled;
  REQUIRE(torn[database].size() > 128 * 1024);
  torn[database][0] = 'x';
  CHECK(refused(torn) == "anchor_damaged");
  CHECK(refused({{"state-2.db", sample().settled[database]}}) == "anchor_damaged");
  CHECK(refused({{"state-2.db-wal", "x"}}) == "anchor_damaged");
}
