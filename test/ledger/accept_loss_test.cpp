// --accept-loss, a damage at a time. All places of a state, bit by bit: test/damage.
#include "ledger/accept_loss.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "journal/state_files.hpp"
#include "journal_helpers.hpp"
#include "ledger/reassembled.hpp"
#include "made_state.hpp"
#include "support/files_in.hpp"
#include "support/manual_clock.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

namespace fs = std::filesystem;
using journal::Damage;

// A state of 96 records and two complete snapshots, killed; what is damaged is a copy of it.
struct Damaged {
  explicit Damaged(int records = 96) : made(test::make_state(parent / "state", test::seed(), records)) {
    clock.step_wall((made.ledger_ms + 3'000) * ns_per_ms - clock.wall_ns());
  }
  std::string path(const std::string& name) const { return directory + "/" + name; }
  void sql(const std::string& statement) const {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(path("state-1.db").c_str(), &database) == SQLITE_OK);
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    CHECK(sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
    fs::remove(path("state-1.db-shm"));
  }
  void damage_record(Lsn lsn) const {
    sql("UPDATE records SET bytes = zeroblob(length(bytes)) WHERE lsn = " + std::to_string(lsn));
  }
  std::vector<KeptSnapshot> snapshots() const {
    const auto found = test::recovered_at(directory);
    REQUIRE(found.has_value());
    REQUIRE(found->catalog.kept().size() == 2);
    return found->catalog.kept();
  }
  auto accept() const { return accept_loss(test::options_for(directory), test::any_state(), clock); }
  Damage refused() const {
    const auto found = test::recovered_at(directory);
    return found ? Damage::none : found.error().damage;
  }
  // It goes on from there, and nobody could tell it from a state whose records ended there.
  void goes_on_from(Lsn lsn) const {
    REQUIRE(refused() != Damage::none);
    const auto accepted = accept();
    REQUIRE_MESSAGE(accepted.has_value(), accepted.error().message);
    CHECK(accepted->last_sound == lsn);
    auto opened = test::open_at(directory);
    REQUIRE(opened.has_value());
    CHECK(opened->state_id == accepted->state_id);
    CHECK(opened->state_id != made.state_id);
    const auto found = recover(*opened->journal, opened->last_lsn, test::any_state());
    REQUIRE(found.has_value());
    CHECK(found->ledger->state_hash() == test::hashes_after_loss(made, clock.wall_ns() / ns_per_ms)[lsn]);
  }
  void is_refused(Damage damage, const std::string& saying) const {
    const auto accepted = accept();
    REQUIRE(!accepted.has_value());
    CHECK(accepted.error().damage == damage);
    CHECK_MESSAGE(accepted.error().message.contains(saying), accepted.error().message);
    CHECK(accepted.error().message.contains("Ways on: "));
  }

  test::TempDir parent;
  std::string directory = parent / "state";
  test::MadeState made;
  test::ManualClock clock;
};

}  // namespace

TEST_CASE("without ANCHOR, or with both its slots damaged, nothing of the records is lost") {
  const Damaged missing;
  fs::remove(missing.path("ANCHOR"));
  CHECK(missing.refused() == Damage::anchor_missing);
  missing.goes_on_from(missing.made.last_lsn);
  const Damaged torn;
  std::ofstream(torn.path("ANCHOR"), std::ios::binary) << std::string(8192, 'x');
  CHECK(torn.refused() == Damage::anchor_damaged);
  torn.goes_on_from(torn.made.last_lsn);
}

TEST_CASE("with its log gone a state goes on from what is in the database") {
  const Damaged state;
  fs::remove(state.path("state-1.db-wal"));
  CHECK(state.refused() == Damage::tail_missing);
  state.goes_on_from(84);  // as the second start found it
}

TEST_CASE("a record that is damaged, or gone, ends the history before it") {
  const Damaged damaged;
  damaged.damage_record(90);
  CHECK(damaged.refused() == Damage::bad_crc);
  damaged.goes_on_from(89);
  const Damaged gone;
  gone.sql("DELETE FROM records WHERE lsn = 90");
  CHECK(gone.refused() == Damage::gap);
  gone.goes_on_from(89);
}

TEST_CASE("a damaged record that the newest snapshot needs leaves the older one") {
  const Damaged state;
  const auto snapshots = state.snapshots();
  REQUIRE(snapshots[1].begin_lsn > snapshots[0].complete_lsn);
  REQUIRE(snapshots[1].complete_lsn >= snapshots[1].begin_lsn);
  state.damage_record(snapshots[1].complete_lsn);
  state.goes_on_from(snapshots[1].complete_lsn - 1);
}

TEST_CASE("a damaged row of the newest snapshot alone costs nothing: the older one and the records come to the same") {
  const Damaged state;
  const auto snapshots = state.snapshots();
  state.sql("UPDATE rows SET value = zeroblob(length(value)) WHERE hex(key) LIKE '02%' AND generation = " +
            std::to_string(snapshots[1].generation));
  CHECK(state.refused() == Damage::bad_crc);
  state.goes_on_from(state.made.last_lsn);
}

TEST_CASE("the row's CRC alone damaged costs nothing") {
  const Damaged state;
  state.sql("UPDATE rows SET crc = crc + 1 WHERE hex(key) LIKE '02%' AND generation = " +
            std::to_string(state.snapshots()[0].generation));
  CHECK(state.refused() == Damage::bad_crc);
  state.goes_on_from(state.made.last_lsn);
}

TEST_CASE("rows of which one is gone prove nothing, and with record 1 gone too nothing is left to go on from") {
  const Damaged state;
  state.sql("DELETE FROM rows WHERE rowid = (SELECT max(rowid) FROM rows WHERE hex(key) LIKE '02%')");
  CHECK(state.refused() == Damage::rows_missing);
  state.is_refused(Damage::database_missing, "nothing sound");
  const auto before = test::read_file(state.path("ANCHOR"));
  CHECK(state.refused() == Damage::rows_missing);
  CHECK(test::read_file(state.path("ANCHOR")) == before);
}

TEST_CASE("without a usable row a state whose records are all there goes on from these") {
  const Damaged state(20);  // none was ever trimmed
  state.sql("DELETE FROM rows");
  CHECK(state.refused() == Damage::rows_missing);
  state.goes_on_from(state.made.last_lsn);
}

TEST_CASE("without a database, or with one that is none, it is refused by name") {
  const Damaged missing;
  fs::remove(missing.path("state-1.db"));
  missing.is_refused(Damage::database_missing, "no database is there");
  const Damaged none;
  fs::remove(none.path("state-1.db-wal"));  // which may hold each page that there is
  std::ofstream(none.path("state-1.db"), std::ios::binary) << std::string(100'000, 'x');
  none.is_refused(Damage::database_missing, "state-1.db: ");
}

TEST_CASE("what a newer Nissa wrote is refused as that, and nothing is changed") {
  const Damaged database;
  database.sql("PRAGMA user_version=2");
  database.is_refused(Damage::newer_version, "newer");
  CHECK(database.refused() == Damage::newer_version);
}

TEST_CASE("what is lost is a gap, however short, and no running time; with the clock set back it is 1 ms") {
  for (const std::int64_t later_ms : {400, 3'600'000, -5'000}) {
    const Damaged state;
    state.damage_record(state.made.last_lsn);
    const auto before =
        test::hashes_after_loss(state.made, 0);  // of what there is to compare with: nothing thrown away
    test::ManualClock clock(state.made.ledger_ms * ns_per_ms);
    clock.step_wall(later_ms * ns_per_ms);
    const auto accepted = accept_loss(test::options_for(state.directory), test::any_state(), clock);
    REQUIRE(accepted.has_value());
    const auto found = test::recovered_at(state.directory);
    REQUIRE(found.has_value());
    const slo::Gap gap = found->ledger->gaps().all().back();
    CHECK(gap == slo::Gap{accepted->from_ms, accepted->to_ms});
    CHECK(gap.to_ms == std::max(state.made.ledger_ms + later_ms, gap.from_ms + 1));
    Ledger part(test::any_state());
    for (Lsn lsn = 1; lsn <= accepted->last_sound; ++lsn) part.apply(*decode_record(state.made.records[lsn - 1]));
    CHECK(found->ledger->running_ms() == part.running_ms());
    CHECK(gap.from_ms == part.ledger_ms());
  }
}

TEST_CASE("an epoch that was lost does not come in as a new one: only what has seen the new state does") {
  const Damaged state;
  state.damage_record(90);
  REQUIRE(state.accept().has_value());
  auto opened = test::open_at(state.directory);
  const auto found = recover(*opened->journal, opened->last_lsn, {.state_id = opened->state_id});
  const Ledger& ledger = *found->ledger;
  const EpochSeen lost{state.made.state_id, ledger.running_ms()};
  CHECK_FALSE(ledger.epochs().accepts_unknown(4711, lost, ledger.now()));
  CHECK(ledger.epochs().accepts_unknown(4711, {opened->state_id, ledger.running_ms()}, ledger.now()));
}

TEST_CASE("the files are kept as they were, and each time anew; what a crash before the new ANCHOR leaves is refused") {
  const Damaged state;
  state.damage_record(90);
  const std::string log = test::read_file(state.path("state-1.db-wal"));
  const std::string anchor = test::read_file(state.path("ANCHOR"));
  const auto first = state.accept();
  REQUIRE(first.has_value());
  CHECK(test::read_file(first->kept_in + "/state-1.db-wal") == log);
  CHECK(test::read_file(first->kept_in + "/ANCHOR") == anchor);
  std::ofstream(state.path("ANCHOR"), std::ios::binary | std::ios::trunc) << anchor;
  CHECK(state.refused() == Damage::bad_crc);
  const auto second = state.accept();
  REQUIRE(second.has_value());
  CHECK(second->kept_in != first->kept_in);
  CHECK(second->state_id != first->state_id);
  {
    auto opened = test::open_at(state.directory);
    REQUIRE(opened.has_value());
    REQUIRE(opened->journal->start().has_value());
  }
  CHECK(test::read_file(second->kept_in + "/state-1.db-wal") == log);
  CHECK_FALSE(fs::exists(state.path("state-1.db")));
}

TEST_CASE("an attempt that fails leaves nothing behind, however often it is made") {
  const Damaged state;
  fs::remove(state.path("ANCHOR"));
  const auto is_refused_and_leaves_all_as_it_was = [&](const std::string& saying) {
    const auto before = test::read_files(state.directory);
    const auto folders = [&] {
      return std::distance(fs::directory_iterator(state.directory), fs::directory_iterator());
    };
    const auto entries = folders();
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto accepted = state.accept();
      REQUIRE(!accepted.has_value());
      CHECK(accepted.error().damage == Damage::none);
      CHECK_MESSAGE(accepted.error().message.contains(saying), accepted.error().message);
      CHECK(test::read_files(state.directory) == before);
      CHECK(folders() == entries);
    }
  };
  fs::create_directories(state.path("ANCHOR.new/in the way"));
  is_refused_and_leaves_all_as_it_was("ANCHOR.new");
  fs::remove_all(state.path("ANCHOR.new"));
  const std::string stem = state.path("damaged-" + journal::time_name(state.clock.wall_ns()));
  for (int nth = 1; nth <= journal::most_of_a_name; ++nth) fs::create_directory(stem + journal::numbered(nth));
  is_refused_and_leaves_all_as_it_was("there are too many folders " + stem + "*");
  fs::remove(stem);
  state.goes_on_from(state.made.last_lsn);
}

TEST_CASE("a state in use is left alone") {
  const Damaged state;
  const auto opened = test::open_at(state.directory);
  REQUIRE(opened.has_value());
  const auto accepted = state.accept();
  REQUIRE(!accepted.has_value());
  CHECK(accepted.error().damage == Damage::none);
  CHECK(accepted.error().message.contains("is in use by process"));
}
