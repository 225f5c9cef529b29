// Backups of a journal that goes on meanwhile: each is the state as it was after one of its commits.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "journal/sqlite_backup.hpp"
#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/manual_clock.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::BackupFault;
using journal::BackupResult;
using journal::CommitResult;

namespace {

std::future<BackupResult> asked(journal::Journal& journal) {
  auto answer = std::make_shared<std::promise<BackupResult>>();
  auto result = answer->get_future();
  journal.back_up([answer](BackupResult made) { answer->set_value(std::move(made)); });
  return result;
}
BackupResult backed_up(journal::Journal& journal) { return asked(journal).get(); }

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.push_back(entry.path().filename().string());
  return names;
}

// A journal that has started, with a folder for its backups.
struct World {
  explicit World(std::uint64_t checkpoint_bytes = 8 << 20) : options(options_for(directory.path())) {
    options.checkpoint_bytes = checkpoint_bytes;
    options.backup_directory = parent / "backups";
    options.min_free_bytes = 0;
  }
  journal::Journal& start(const Clock& clock = system_clock()) {
    auto opened = journal::open_journal(options, clock);
    REQUIRE(opened);
    state_id = opened->state_id;
    journal = std::move(opened->journal);
    REQUIRE(journal->start());
    return *journal;
  }
  void commit(journal::Commit commit) {
    disk.apply(commit);
    REQUIRE(commit_and_wait(*journal, std::move(commit)) == CommitResult::durable);
  }

  const TempDir directory;
  const TempDir parent;
  journal::Options options;
  FakeDisk disk;  // what was committed
  journal::StateId state_id = 0;
  std::unique_ptr<journal::Journal> journal;
};

// The journal's thread waits in it, behind a commit.
class Standstill {
 public:
  Standstill(World& world, journal::Commit commit) {
    world.disk.apply(commit);
    world.journal->commit(std::move(commit), [this](CommitResult) {
      reached_.set_value();
      let_go_.get_future().wait();
    });
    reached_.get_future().wait();
  }
  void end() { let_go_.set_value(); }

 private:
  std::promise<void> reached_;
  std::promise<void> let_go_;
};

// The journal's thread, played by the test.
struct PlayedLog final : journal::HeldLog {
  std::expected<Source, journal::BackupError> hold() override { return source; }
  std::expected<End, journal::BackupError> end() override {
    is_overtaken = is_overtaken || overtaken_at_end;
    return End{};
  }
  std::expected<void, journal::BackupError> release() override {
    ++released;
    if (!is_overtaken) return {};
    return std::unexpected(journal::BackupError{BackupFault::overtaken, "a checkpoint was made"});
  }
  bool overtaken() const override { return is_overtaken; }

  Source source;
  bool overtaken_at_end = false;
  std::atomic<bool> is_overtaken{false};
  int released = 0;
};

}  // namespace

TEST_CASE("a backup is the state after its last record, whatever is committed while it is made") {
  auto random = random_for(60);
  World world(200'000);
  world.start();
  std::vector<FakeDisk> history{world.disk};
  const auto go_on = [&](int count) {
    for (; count > 0; --count) {
      world.commit(random_commit(random, world.disk.last_lsn + 1));
      history.push_back(world.disk);
    }
  };
  go_on(300);
  for (int i = 0; i < 12; ++i) {
    const journal::Lsn before = world.disk.last_lsn;
    auto result = asked(*world.journal);
    do go_on(1);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    const BackupResult made = result.get();
    REQUIRE_MESSAGE(made, made.error().message);
    CHECK(made->lsn >= before);
    CHECK(made->lsn <= world.disk.last_lsn);
    CHECK(made->state_id == world.state_id);
    CHECK(made->directory.starts_with(world.options.backup_directory + '/'));
    CHECK(made->directory.find("-lsn-" + std::to_string(made->lsn)) != std::string::npos);
    auto copy = open_at(made->directory);
    REQUIRE(copy);
    CHECK(copy->last_lsn == made->lsn);
    CHECK(copy->copy_of == world.state_id);
    const auto read = contents(*copy->journal, 1);
    REQUIRE(read);
    CHECK(read->records == history[made->lsn].records);
    CHECK(read->rows == history[made->lsn].rows);
    CHECK(world.journal->counters().backup_lsn.value() == made->lsn);
  }
  CHECK(world.journal->counters().backups.value() == 12);
  CHECK(world.journal->counters().backups_failed.value() == 0);
  CHECK(world.journal->counters().checkpoints.value() > 10);
  CHECK(names_in(world.options.backup_directory).size() == 12);
  world.journal.reset();
  const auto kept = contents(*open_at(world.directory.path())->journal, 1);
  REQUIRE(kept);
  CHECK(kept->records == world.disk.records);
  CHECK(kept->rows == world.disk.rows);
}

TEST_CASE("a backup is a database and ANCHOR, nothing else; its bytes are those of both") {
  World world;
  world.start();
  world.commit({.lsn = 1, .record = {1, 2, 3}});
  const auto made = backed_up(*world.journal);
  REQUIRE(made);
  auto names = names_in(made->directory);
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"ANCHOR", "state-1.db"});
  CHECK(made->bytes == std::filesystem::file_size(made->directory + "/ANCHOR") +
                           std::filesystem::file_size(made->directory + "/state-1.db"));
}

TEST_CASE("its folder bears the time of its begin and its last record; of one moment there may be several") {
  const ManualClock clock;
  World world;
  world.start(clock);
  world.commit({.lsn = 1, .record = {1}});
  for (const char* tail : {"", "-2", "-3"}) {
    const auto made = backed_up(*world.journal);
    REQUIRE(made);
    CHECK(made->directory == world.options.backup_directory + "/2025-06-15T134640Z-lsn-1" + tail);
  }
}

TEST_CASE("a state that went on in a new file is backed up from there") {
  World world;
  world.start();
  world.commit({.lsn = 1, .record = {1}, .put = {{{1}, 1, {1}}}});
  for (const bool last : {false, true}) {
    std::promise<CommitResult> result;
    world.journal->rewrite({.first = !last, .last = last, .commit = {.lsn = last ? 2u : 0u, .put = {{{1}, 2, {7}}}}},
                           [&](CommitResult r) { result.set_value(r); });
    REQUIRE(result.get_future().get() == CommitResult::durable);
  }
  const auto made = backed_up(*world.journal);
  REQUIRE_MESSAGE(made, made.error().message);
  const auto read = contents(*open_at(made->directory)->journal, 2);
  REQUIRE(read);
  CHECK(read->rows.size() == 1);
  CHECK(read->rows.begin()->first.second == 2);
}

TEST_CASE("one backup at a time; at the end of the journal the one under way is answered, though the disk hangs") {
  World world;
  world.start();
  Standstill standstill(world, {.lsn = 1, .record = {1}});
  auto first = asked(*world.journal);
  const auto second = backed_up(*world.journal);
  REQUIRE(!second);
  CHECK(second.error().fault == BackupFault::under_way);
  CHECK(!world.journal->end_backups(0));
  const auto given_up = first.get();
  REQUIRE(!given_up);
  CHECK(given_up.error().fault == BackupFault::stopping);
  CHECK(backed_up(*world.journal).error().fault == BackupFault::stopping);
  standstill.end();
  CHECK(world.journal->end_backups(60 * ns_per_s));
  world.journal->stop();
  for (const auto& name : names_in(world.parent.path())) CHECK(names_in(world.parent / name).empty());
}

TEST_CASE("without a folder for backups none is made; where the folder cannot be, the words say so") {
  World world;
  const std::string file = world.parent / "file";
  std::fclose(std::fopen(file.c_str(), "w"));
  const std::pair<std::string, BackupFault> refusals[] = {
      {"", BackupFault::no_directory}, {world.parent / "no/mount", BackupFault::failed}, {file, BackupFault::failed}};
  for (const auto& [directory, fault] : refusals) {
    CAPTURE(directory);
    world.options.backup_directory = directory;
    world.start();
    const auto made = backed_up(*world.journal);
    REQUIRE(!made);
    CHECK(made.error().fault == fault);
    CHECK(made.error().message.find(directory.empty() ? "backup_directory" : directory) != std::string::npos);
    CHECK(world.journal->counters().backups_failed.value() == (fault == BackupFault::failed ? 1 : 0));
    world.journal.reset();
  }
  CHECK(names_in(world.parent.path()) == std::vector<std::string>{"file"});
}

TEST_CASE("a disk without room for it and min_free besides is refused before anything is written") {
  World world;
  world.options.min_free_bytes = std::uint64_t{1} << 60;
  world.start();
  const auto made = backed_up(*world.journal);
  REQUIRE(!made);
  CHECK(made.error().fault == BackupFault::no_room);
  CHECK(made.error().message.find("min_free") != std::string::npos);
  CHECK(names_in(world.options.backup_directory).empty());
}

TEST_CASE("a journal that fails has nothing that a backup could trust") {
  PowerCutDisk disk;
  World world;
  world.options.vfs = disk.vfs();
  world.start();
  world.commit({.lsn = 1, .record = {1}});
  CHECK(backed_up(*world.journal).has_value());
  disk.fail_sync("-wal", 1, io_fsync);
  CHECK(commit_and_wait(*world.journal, {.lsn = 2, .record = {2}}) == CommitResult::unknown);
  const auto made = backed_up(*world.journal);
  REQUIRE(!made);
  CHECK(made.error().fault == BackupFault::journal_fails);
}

TEST_CASE("a file that cannot be read costs the backup, and no half of one is left") {
  PowerCutDisk disk;
  World world;
  world.options.vfs = disk.vfs();
  world.start();
  Standstill standstill(world, {.lsn = 1, .record = {1}});
  auto result = asked(*world.journal);
  disk.cut_now();
  standstill.end();
  const auto made = result.get();
  REQUIRE(!made);
  CHECK(made.error().fault == BackupFault::failed);
  CHECK(names_in(world.options.backup_directory).empty());
  CHECK(world.journal->counters().backups_failed.value() == 1);
}

TEST_CASE("a checkpoint while the files are read costs the backup, and no half of one is left") {
  World world;
  world.start();
  world.commit({.lsn = 1, .record = {1}});
  world.journal.reset();
  for (const bool at_end : {false, true}) {
    PlayedLog log;
    log.source = {.database = world.directory / "state-1.db", .state_id = world.state_id};
    log.is_overtaken = !at_end;
    log.overtaken_at_end = at_end;
    journal::Counters counters;
    std::promise<BackupResult> result;
    journal::Backup backup(world.options, system_clock(), log, counters,
                           [&](BackupResult made) { result.set_value(std::move(made)); });
    const auto made = result.get_future().get();
    REQUIRE(!made);
    CHECK(made.error().fault == BackupFault::overtaken);
    CHECK(log.released == 1);
    CHECK(backup.over_within(0));
    CHECK(names_in(world.options.backup_directory).empty());
  }
}

TEST_CASE("a log that gets too long is moved into the database: commits go before backups") {
  World world(20'000);
  world.start();
  for (journal::Lsn lsn = 1; lsn <= 30; ++lsn) world.commit({.lsn = lsn, .record = Bytes(1'000'000)});
  const std::uint64_t checkpoints = world.journal->counters().checkpoints.value();
  BackupResult made = journal::BackupMade{};
  for (int attempt = 0; attempt < 20 && made; ++attempt) {
    auto result = asked(*world.journal);
    do world.commit({.lsn = world.disk.last_lsn + 1, .record = Bytes(100'000)});
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
    made = result.get();
  }
  REQUIRE(!made);
  CHECK(made.error().fault == BackupFault::overtaken);
  CHECK(world.journal->counters().checkpoints.value() > checkpoints);
  CHECK(backed_up(*world.journal).has_value());
}
