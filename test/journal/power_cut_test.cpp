// The journal over a disk that forgets what was not synced: what was told durable is there, nothing else is, and no
// start is refused. The same over the whole node: test/scenario T1.
#include <doctest/doctest.h>

#include <functional>
#include <optional>

#include "journal_helpers.hpp"
#include "support/fake_journal.hpp"
#include "support/operation_clock.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::test;
using journal::CommitResult;

namespace {

constexpr std::uint64_t for_good = 1'000'000;

// Lives of a process, one after another, on one disk.
class Lives {
 public:
  explicit Lives(std::uint64_t seed) : clock_(disk_), random_(seed) {
    options_ = options_for(directory_.path());
    options_.vfs = disk_.vfs();
    options_.checkpoint_bytes = 60'000;
  }
  PowerCutDisk& disk() { return disk_; }
  journal::Lsn told() const { return told_.last_lsn; }
  const std::string& fault() const { return fault_; }

  // False: the power went in its midst, or there is a fault.
  bool start() {
    journal_.reset();
    auto opened = journal::open_journal(options_, clock_);
    if (!opened) return refused("open", opened.error());
    const auto found = contents(*opened->journal, 1);
    if (!found) return refused("read", found.error());
    const bool has_doubtful = in_doubt_ && opened->last_lsn == in_doubt_->last_lsn;
    const FakeDisk& expected = has_doubtful ? *in_doubt_ : told_;
    if (opened->last_lsn != expected.last_lsn)
      return failed("ends with record " + std::to_string(opened->last_lsn) + ", durable were " +
                    std::to_string(told_.last_lsn));
    if (found->records != expected.records || found->rows != expected.rows) return failed("holds something else");
    if (auto started = opened->journal->start(); !started) return refused("start", started.error());
    // From here on it is promised.
    told_ = expected;
    in_doubt_.reset();
    journal_ = std::move(opened->journal);
    return true;
  }
  // True: all of them are durable.
  bool commit(int count) {
    for (; count > 0; --count) {
      journal::Commit commit = random_commit(random_, told_.last_lsn + 1);
      if (commit.record.size() > 5'000) commit.record.resize(5'000);
      in_doubt_ = told_;
      in_doubt_->apply(commit);
      if (commit_and_wait(*journal_, std::move(commit)) != CommitResult::durable) return false;
      told_ = *in_doubt_;
      in_doubt_.reset();
    }
    return true;
  }
  void end_process() { journal_.reset(); }
  void cut_and_reboot(Survival survival) {
    journal_.reset();  // all that it was about to do is done: the cut is at a place that the seed alone decides
    disk_.cut_now();
    disk_.reboot(random_(), survival);
  }

 private:
  bool refused(const std::string& what, const journal::JournalError& error) {
    const bool is_meant = disk_.is_off() || (!disk_.failed_to_sync().empty() && error.damage == journal::Damage::none);
    return is_meant ? false : failed(what + " is refused: " + error.message);
  }
  bool failed(const std::string& what) {
    fault_ = what;
    return false;
  }

  PowerCutDisk disk_;
  OperationClock clock_;
  TempDir directory_;
  journal::Options options_;
  std::mt19937_64 random_;
  FakeDisk told_;  // as of all that was told durable
  std::optional<FakeDisk> in_doubt_;
  std::unique_ptr<journal::Journal> journal_;
  std::string fault_;
};

constexpr int commits = 8;

// A birth, some commits, checkpoints among them; somewhere in it, the power goes. Then starts until one gets through,
// with more cuts in their midst; commits, and a last cut that leaves nothing but what was synced. Returns what is
// wrong.
std::string run(std::uint64_t seed, Survival survival, const std::function<void(PowerCutDisk&)>& arm) {
  Lives lives(seed);
  std::mt19937_64 random(seed + 1);
  arm(lives.disk());
  if (lives.start()) lives.commit(commits);
  lives.disk().heal();
  for (int more = static_cast<int>(random() % 3); more >= 0 && lives.fault().empty(); --more) {
    lives.cut_and_reboot(survival);
    if (more > 0) lives.disk().cut_at_operation(1 + random() % 40);
    if (lives.start()) lives.commit(2);
  }
  for (int last = 0; last < 2 && lives.fault().empty(); ++last) {
    lives.cut_and_reboot(Survival::nothing);
    lives.start();
  }
  return lives.fault();
}

// Of one run without a cut.
struct Length {
  std::uint64_t syncs;
  std::uint64_t operations;
};
Length length_of(std::uint64_t seed) {
  Lives lives(seed);
  REQUIRE(lives.start());
  REQUIRE(lives.commit(commits));
  lives.end_process();
  return {lives.disk().syncs(), lives.disk().operations()};
}

}  // namespace

TEST_CASE(
    "the power is cut at every sync, and whatever survives: what was durable is there, and nothing stops a start") {
  const std::uint64_t first = random_for(40)();
  const Length length = length_of(first);
  CHECK(length.syncs > 20);
  for (std::uint64_t nth = 1; nth <= length.syncs; ++nth) {
    for (const Survival survival : each_survival) {
      CAPTURE(nth);
      CAPTURE(static_cast<int>(survival));
      CHECK(run(first, survival, [&](PowerCutDisk& disk) { disk.cut_at_sync(nth); }) == "");
    }
  }
}

TEST_CASE("the power is cut at every operation of the disk, and again while it is recovered") {
  const std::uint64_t first = random_for(41)();
  const Length length = length_of(first);
  for (std::uint64_t nth = 1; nth <= length.operations; ++nth) {
    for (std::uint64_t again = 0; again < 2; ++again) {
      CAPTURE(nth);
      CAPTURE(again);
      CHECK(run(first + again, Survival::drawn, [&](PowerCutDisk& disk) { disk.cut_at_operation(nth); }) == "");
    }
  }
}

TEST_CASE("a disk that lies about its syncs loses what was told durable, and these tests see it") {
  std::uint64_t seen = 0;
  const std::uint64_t first = random_for(42)();
  for (std::uint64_t seed = first; seed < first + 10; ++seed)
    seen += !run(seed, Survival::nothing, [&](PowerCutDisk& disk) { disk.lie_about_syncs(true); }).empty();
  CHECK(seen == 10);
}

// A commit whose fsync failed, and a kill: the page cache shows its record, and the disk has never got it.
void make_page_cache_lie(Lives& lives) {
  REQUIRE(lives.start());
  REQUIRE(lives.commit(1));  // no checkpoint behind it: the next sync is that of the next commit's pages
  lives.disk().fail_sync("-wal", 1, io_fsync);
  CHECK(!lives.commit(1));
  lives.end_process();
  lives.disk().restart();
}

TEST_CASE("a failed fsync and a kill: what the page cache shows and the disk never got is made durable by a start") {
  for (const bool is_started : {false, true}) {
    CAPTURE(is_started);
    Lives lives(random_for(43)());
    make_page_cache_lie(lives);
    if (is_started) {
      REQUIRE(lives.start());
      CHECK(lives.told() == 2);
    }
    lives.cut_and_reboot(Survival::nothing);
    CHECK(lives.start());
    CHECK(lives.fault() == "");
    CHECK(lives.told() == (is_started ? 2 : 1));
  }
}

TEST_CASE("an fsync that fails once, at any place from the birth on, and a power cut: what was durable is there") {
  const std::uint64_t first = random_for(46)();
  const Length length = length_of(first);
  for (std::uint64_t nth = 1; nth <= length.syncs; ++nth) {
    for (const Survival survival : each_survival) {
      CAPTURE(nth);
      CAPTURE(static_cast<int>(survival));
      CHECK(run(first, survival, [&](PowerCutDisk& disk) { disk.fail_sync("", nth, io_fsync); }) == "");
    }
  }
}

TEST_CASE("a failed fsync, a kill, and a power cut at every operation of the start behind it") {
  auto random = random_for(45);
  const std::uint64_t first = random();
  for (std::uint64_t run = 0; run < 5; ++run) {
    bool is_cut = true;
    for (std::uint64_t nth = 1; is_cut; ++nth) {
      for (const Survival survival : each_survival) {
        CAPTURE(run);
        CAPTURE(nth);
        CAPTURE(static_cast<int>(survival));
        Lives lives(first + run);
        make_page_cache_lie(lives);
        lives.disk().cut_at_operation(nth);
        lives.start();
        is_cut = lives.disk().is_off();
        lives.cut_and_reboot(survival);
        CHECK(lives.start());
        lives.cut_and_reboot(Survival::nothing);
        CHECK(lives.start());
        CHECK(lives.fault() == "");
      }
    }
  }
}

TEST_CASE("an ANCHOR whose syncs fail for good is behind after a power cut, never in the way") {
  Lives lives(random_for(44)());
  REQUIRE(lives.start());
  lives.disk().fail_sync("ANCHOR", 1, io_fsync, for_good);
  CHECK(lives.commit(12));
  lives.end_process();
  lives.disk().heal();
  for (int i = 0; i < 2; ++i) {
    lives.cut_and_reboot(Survival::drawn);
    CHECK(lives.start());
    CHECK(lives.fault() == "");
    CHECK(lives.commit(1));
  }
  CHECK(lives.told() == 14);
}
