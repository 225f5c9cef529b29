// The first start on a backup is its restore: it draws an id of its own, durably before the first answer.
#include <doctest/doctest.h>

#include <array>
#include <optional>

#include "base/crc32c.hpp"
#include "journal/anchor.hpp"
#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/operation_clock.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::AnchorState;
using journal::CommitResult;

namespace {

void set_anchor(const std::string& vfs, const std::string& directory, const std::function<void(AnchorState&)>& change) {
  auto file = journal::open_anchor_file(vfs, directory + "/ANCHOR", false);
  REQUIRE(file);
  journal::Anchor anchor(std::move(*file));
  const auto found = anchor.read();
  REQUIRE((found && *found));
  AnchorState state = **found;
  change(state);
  REQUIRE(anchor.begin(state));
}
void mark_as_copy(AnchorState& state) { state.copy = true; }

// A state of two starts and some records on a disk that forgets, which is marked as a copy.
class Copy {
 public:
  explicit Copy(std::uint64_t seed) : clock_(disk_), random_(seed), options_(options_for(directory_.path())) {
    options_.vfs = disk_.vfs();
    for (int life = 0; life < 2; ++life) {
      auto opened = journal::open_journal(options_, clock_);
      REQUIRE(opened);
      original_ = opened->state_id;
      REQUIRE(opened->journal->start());
      for (int i = 0; i < 4; ++i) {
        const auto commit = random_commit(random_, told_.last_lsn + 1);
        REQUIRE(commit_and_wait(*opened->journal, commit) == CommitResult::durable);
        told_.apply(commit);
      }
    }
    set_anchor(options_.vfs, directory_.path(), mark_as_copy);
  }
  PowerCutDisk& disk() { return disk_; }

  // Says what is wrong, or nothing. After a start that got through, answers are given: the id is known then.
  std::string start() {
    auto opened = journal::open_journal(options_, clock_);
    if (!opened) return refused(opened.error());
    if (opened->copy_of != (answered_ ? 0 : original_)) {
      // A start that was cut off after its last step is no copy any more, though nobody was answered.
      if (answered_ || opened->copy_of != 0) return "is a copy of " + std::to_string(opened->copy_of);
    }
    if (opened->state_id == original_) return "has the id of the original";
    if (answered_ && opened->state_id != *answered_) return "has a new id, and the one before was told";
    const auto read = contents(*opened->journal, 1);
    if (!read) return refused(read.error());
    if (read->records != told_.records || read->rows != told_.rows) return "holds something else";
    if (auto started = opened->journal->start(); !started) return refused(started.error());
    answered_ = opened->state_id;
    return "";
  }
  void reboot(Survival survival) {
    disk_.cut_now();
    disk_.reboot(random_(), survival);
  }
  bool is_answered() const { return answered_.has_value(); }

 private:
  std::string refused(const journal::JournalError& error) { return disk_.is_off() ? "" : "refused: " + error.message; }

  PowerCutDisk disk_;
  OperationClock clock_;
  TempDir directory_;
  std::mt19937_64 random_;
  journal::Options options_;
  FakeDisk told_;
  journal::StateId original_ = 0;
  std::optional<journal::StateId> answered_;
};

constexpr std::array survivals{Survival::nothing, Survival::everything, Survival::earlier,  Survival::later,
                               Survival::some,    Survival::torn_512,   Survival::torn_4096};

}  // namespace

TEST_CASE(
    "the first start on a copy draws an id of its own, and all later ones keep it; opening alone changes nothing") {
  const TempDir directory;
  const auto original = open_at(directory.path())->state_id;
  {
    auto opened = open_at(directory.path());
    REQUIRE(opened->journal->start());
    CHECK(commit_and_wait(*opened->journal, {.lsn = 1, .record = {1}}) == CommitResult::durable);
  }
  set_anchor("", directory.path(), mark_as_copy);
  const auto looked_at = open_at(directory.path())->state_id;
  CHECK(looked_at != original);
  auto restored = open_at(directory.path());
  REQUIRE(restored);
  CHECK(restored->copy_of == original);
  CHECK(restored->state_id != original);
  CHECK(restored->state_id != looked_at);
  CHECK(!restored->new_state);
  CHECK(restored->last_lsn == 1);
  const auto id = restored->state_id;
  REQUIRE(restored->journal->start());
  restored->journal.reset();
  for (int again = 0; again < 2; ++again) {
    auto opened = open_at(directory.path());
    REQUIRE(opened);
    CHECK(opened->state_id == id);
    CHECK(opened->copy_of == 0);
    REQUIRE(opened->journal->start());
  }
}

TEST_CASE("the power goes at any operation of a restore, and again in the next: whoever was answered hears one id") {
  const std::uint64_t seed = random_for(61)();
  std::uint64_t length = 0;
  {
    Copy copy(seed);
    const std::uint64_t before = copy.disk().operations();
    CHECK(copy.start() == "");
    CHECK(copy.is_answered());
    length = copy.disk().operations() - before;
  }
  CHECK(length > 5);
  int cut_short = 0;
  for (std::uint64_t nth = 1; nth <= length + 1; ++nth) {
    for (const Survival survival : survivals) {
      CAPTURE(nth);
      CAPTURE(static_cast<int>(survival));
      Copy copy(seed);
      copy.disk().cut_at_operation(nth);
      CHECK(copy.start() == "");
      cut_short += !copy.is_answered();
      copy.reboot(survival);
      copy.disk().cut_at_operation(1 + (nth * 7 + static_cast<std::uint64_t>(survival)) % (length + 3));
      CHECK(copy.start() == "");
      for (int more = 0; more < 2; ++more) {
        copy.reboot(more == 0 ? survival : Survival::nothing);
        CHECK(copy.start() == "");
        CHECK(copy.is_answered());
      }
    }
  }
  CHECK(cut_short > 5);
}

TEST_CASE("a copy does with another id in its database only where a start was cut short") {
  const TempDir directory;
  {
    auto opened = open_at(directory.path());
    REQUIRE(opened->journal->start());
  }
  set_anchor("", directory.path(), [](AnchorState& state) {
    state.copy = true;
    ++state.state_id;
  });
  const auto opened = open_at(directory.path());
  REQUIRE(!opened);
  CHECK(opened.error().damage == journal::Damage::wrong_database);
}

TEST_CASE("ANCHOR bears whether it is a copy, and what it bears beyond that is of a newer Nissa") {
  for (const bool copy : {false, true}) {
    const AnchorState state{.generation = 3, .state_id = 4, .last_lsn = 5, .database = "state-1.db", .copy = copy};
    const auto read = journal::decode_slot(journal::encode_slot(state));
    REQUIRE(read);
    CHECK(*read == state);
  }
  Bytes slot = journal::encode_slot({.generation = 3, .state_id = 4, .last_lsn = 5, .database = "state-1.db"});
  slot[12] = 2;
  slot.resize(slot.size() - 4);
  ByteWriter(slot).fixed(crc32c(slot));
  const auto read = journal::decode_slot(slot);
  REQUIRE(!read);
  CHECK(read.error() == journal::SlotFault::newer_version);
}
