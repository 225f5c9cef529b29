#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::CommitResult;

TEST_CASE("an empty directory begins a state; the next start continues it with the next generation") {
  const TempDir parent;
  const std::string directory = parent / "state";
  journal::StateId id = 0;
  for (std::uint64_t start = 1; start <= 3; ++start) {
    auto opened = open_at(directory);
    REQUIRE(opened);
    CHECK(opened->new_state == (start == 1));
    CHECK(opened->generation == start);
    CHECK(opened->last_lsn == start - 1);
    CHECK(opened->state_id != 0);
    if (start > 1) CHECK(opened->state_id == id);
    id = opened->state_id;
    REQUIRE(opened->journal->start());
    CHECK(commit_and_wait(*opened->journal, {.lsn = start, .record = {1}}) == CommitResult::durable);
  }
}

TEST_CASE("two states have different ids") {
  const TempDir one, other;
  CHECK(open_at(one.path())->state_id != open_at(other.path())->state_id);
}

TEST_CASE("a start that was never finished costs a generation at most, and no state") {
  const TempDir directory;
  const auto id = open_at(directory.path())->state_id;
  {
    auto again = open_at(directory.path());
    REQUIRE(again);
    CHECK(again->state_id == id);
    CHECK(again->generation == 1);
    REQUIRE(again->journal->start());
  }
  REQUIRE(open_at(directory.path()));
  const auto third = open_at(directory.path());
  REQUIRE(third);
  CHECK(third->state_id == id);
  CHECK(third->generation == 2);
  CHECK(!third->new_state);
}

TEST_CASE("a missing path is not made whole: its mount may be missing") {
  const TempDir directory;
  const auto opened = open_at(directory / "mount/state");
  REQUIRE(!opened);
  CHECK(opened.error().damage == journal::Damage::none);
  CHECK(opened.error().message.find("No such file or directory") != std::string::npos);
}

TEST_CASE("what was committed is what is read after a restart: the same as a map says, wherever it is cut") {
  auto random = random_for(20);
  const TempDir directory;
  FakeDisk disk;
  for (int life = 0; life < 12; ++life) {
    auto options = options_for(directory.path());
    options.checkpoint_bytes = random() % 2 == 0 ? 50'000 : 5'000'000;
    auto opened = journal::open_journal(options, system_clock());
    REQUIRE(opened);
    REQUIRE(opened->last_lsn == disk.last_lsn);
    const auto read = contents(*opened->journal, 1);
    REQUIRE(read);
    CHECK(read->rows == disk.rows);
    CHECK(read->records == disk.records);
    REQUIRE(opened->journal->start());
    for (auto count = random() % 40; count > 0; --count) {
      const auto commit = random_commit(random, disk.last_lsn + 1);
      REQUIRE(commit_and_wait(*opened->journal, commit) == CommitResult::durable);
      disk.apply(commit);
    }
  }
}

TEST_CASE("a row has one version a generation; a put replaces it, an erasure takes that one only") {
  const TempDir directory;
  {
    auto opened = open_at(directory.path());
    REQUIRE(opened->journal->start());
    auto& journal = *opened->journal;
    commit_and_wait(journal, {.lsn = 1, .put = {{{7}, 1, {10}}, {{7}, 2, {20}}, {{}, 0, {}}}});
    commit_and_wait(journal, {.lsn = 2, .put = {{{7}, 2, {21}}}, .erase = {{{7}, 1}, {{9}, 9}}});
  }
  const auto read = contents(*open_at(directory.path())->journal, 1);
  REQUIRE(read);
  const decltype(Contents::rows) expected{{{{7}, 2}, {21}}, {{{}, 0}, {}}};
  CHECK(read->rows == expected);
}

TEST_CASE("rows come in the order of their keys' bytes, then generation; a visitor may end the reading") {
  const TempDir directory;
  auto opened = open_at(directory.path());
  REQUIRE(opened->journal->start());
  commit_and_wait(
      *opened->journal,
      {.lsn = 1, .put = {{{2}, 1, {}}, {{1, 255}, 3, {}}, {{1, 255}, 2, {}}, {{0x80}, 0, {}}, {{1}, 9, {}}}});
  opened->journal->stop();
  std::vector<std::pair<Bytes, std::uint64_t>> order;
  REQUIRE(opened->journal->read_rows([&](ByteView key, std::uint64_t generation, ByteView) {
    order.emplace_back(Bytes(key.begin(), key.end()), generation);
    return true;
  }));
  CHECK(order.size() == 5);
  CHECK(std::ranges::is_sorted(order));
  int seen = 0;
  REQUIRE(opened->journal->read_rows([&](ByteView, std::uint64_t, ByteView) { return ++seen < 2; }));
  CHECK(seen == 2);
}

TEST_CASE("trimmed records go in pieces, the needed ones stay, and the file does not grow without end") {
  const TempDir directory;
  constexpr journal::Lsn last = 2000;
  constexpr journal::Lsn keep = 50;
  {
    auto options = options_for(directory.path());
    options.checkpoint_bytes = 1 << 20;
    auto opened = journal::open_journal(options, system_clock());
    REQUIRE(opened->journal->start());
    for (journal::Lsn lsn = 1; lsn <= last; ++lsn) {
      journal::Commit commit{.lsn = lsn, .record = Bytes(3000, static_cast<Byte>(lsn))};
      commit.trim_below = lsn > keep ? lsn - keep : 0;
      REQUIRE(commit_and_wait(*opened->journal, std::move(commit)) == CommitResult::durable);
    }
    CHECK(opened->journal->counters().trimmed.value() > last - keep - 100);
    CHECK(opened->journal->counters().checkpoints.value() > 3);
    CHECK(opened->journal->counters().database_bytes.value() < 2'000'000);
  }
  auto opened = open_at(directory.path());
  const auto read = contents(*opened->journal, last - keep);
  REQUIRE(read);
  CHECK(read->records.size() == keep + 1);
  const auto trimmed = contents(*opened->journal, 1);
  REQUIRE(!trimmed);
  CHECK(trimmed.error().damage == journal::Damage::gap);
}

TEST_CASE("trimming everything leaves the last record: it vouches for the rows") {
  const TempDir directory;
  {
    auto opened = open_at(directory.path());
    REQUIRE(opened->journal->start());
    for (journal::Lsn lsn = 1; lsn <= 40; ++lsn) {
      commit_and_wait(*opened->journal, {.lsn = lsn, .put = {{{static_cast<Byte>(lsn)}, 1, {1}}}, .trim_below = 1000});
    }
  }
  auto opened = open_at(directory.path());
  REQUIRE(opened);
  CHECK(opened->last_lsn == 40);
  CHECK(contents(*opened->journal, 41)->rows.size() == 40);
}

TEST_CASE("a full file answers full, loses nothing, and takes the same lsn again when there is room") {
  const TempDir directory;
  journal::Lsn lsn = 0;
  FakeDisk disk;
  {
    auto options = options_for(directory.path());
    options.max_database_bytes = 400'000;
    auto opened = journal::open_journal(options, system_clock());
    REQUIRE(opened->journal->start());
    CommitResult result = CommitResult::durable;
    while (result == CommitResult::durable) {
      journal::Commit commit{
          .lsn = ++lsn, .record = Bytes(2000, 1), .put = {{{static_cast<Byte>(lsn)}, 1, Bytes(900)}}};
      result = commit_and_wait(*opened->journal, commit);
      if (result == CommitResult::durable) disk.apply(commit);
    }
    CHECK(result == CommitResult::full);
    CHECK(commit_and_wait(*opened->journal, {.lsn = lsn, .record = Bytes(100'000)}) == CommitResult::full);
    CHECK(opened->journal->counters().full.value() == 2);
    const journal::Commit smaller{.lsn = lsn, .record = Bytes(2000, 2), .trim_below = 30};
    CHECK(commit_and_wait(*opened->journal, smaller) == CommitResult::durable);
    disk.apply(smaller);
  }
  auto opened = open_at(directory.path());
  REQUIRE(opened);
  const auto read = contents(*opened->journal, 30);
  REQUIRE(read);
  CHECK(read->rows == disk.rows);
  CHECK(read->records == disk.records);
}

TEST_CASE("a commit out of order is a violation, and the journal takes nothing more") {
  const TempDir directory;
  auto opened = open_at(directory.path());
  REQUIRE(opened->journal->start());
  const ExpectViolations expected;
  CHECK(commit_and_wait(*opened->journal, {.lsn = 5}) == CommitResult::unknown);
  CHECK(commit_and_wait(*opened->journal, {.lsn = 1}) == CommitResult::unknown);
  CHECK(expected.seen() == 1);
  CHECK(opened->journal->counters().broken.value() == 1);
}

TEST_CASE("a commit before the start or after the stop is a violation, answered at once") {
  const TempDir directory;
  auto opened = open_at(directory.path());
  const ExpectViolations expected;
  CHECK(commit_and_wait(*opened->journal, {.lsn = 1}) == CommitResult::unknown);
  REQUIRE(opened->journal->start());
  opened->journal->stop();
  opened->journal->stop();
  CHECK(commit_and_wait(*opened->journal, {.lsn = 1}) == CommitResult::unknown);
  CHECK(expected.seen() == 2);
}

TEST_CASE("reading while the journal runs is a violation and an error") {
  const TempDir directory;
  auto opened = open_at(directory.path());
  REQUIRE(opened->journal->start());
  const ExpectViolations expected;
  CHECK(!opened->journal->read_rows([](ByteView, std::uint64_t, ByteView) { return true; }));
  CHECK(!opened->journal->read_records(1, [](journal::Lsn, ByteView) { return true; }));
  CHECK(expected.seen() == 2);
}
