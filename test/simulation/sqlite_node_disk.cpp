#include "simulation/sqlite_node_disk.hpp"

#include <cstdlib>
#include <future>
#include <utility>

#include "journal/anchor.hpp"

namespace nissa::simulation {
using journal::CommitResult;

SqliteNodeDisk::SqliteNodeDisk(World& world) : world_(world) {
  options_.directory = directory_.path();
  options_.vfs = disk_.vfs();
  options_.checkpoint_bytes = 40'000;
  options_.min_free_bytes = 0;
}

// As if a birth had come as far as ANCHOR.
void SqliteNodeDisk::begin_birth(journal::StateId state_id) {
  auto file = journal::open_anchor_file(options_.vfs, directory_ / "ANCHOR", true);
  journal::Anchor anchor(std::move(*file));
  if (!anchor.begin({.state_id = state_id, .database = "state-1.db"})) std::abort();
}

journal::JournalResult<journal::Opened> SqliteNodeDisk::open() {
  if (world_.chance(chances_.start_cut)) disk_.cut_at_operation(static_cast<std::uint64_t>(world_.between(1, 40)));
  return journal::open_journal(options_, world_.clock);
}

// Some of it comes with this commit, some with what the journal does later: a checkpoint, ANCHOR, a new file.
void SqliteNodeDisk::draw_faults() {
  const auto up_to = [&](std::int64_t most) { return static_cast<std::uint64_t>(world_.between(1, most)); };
  if (world_.chance(chances_.cut)) disk_.cut_at_operation(up_to(40));
  if (world_.chance(chances_.full)) disk_.fail_write(world_.chance(0.9) ? "-wal" : ".db", up_to(10), test::disk_full);
  if (!world_.chance(chances_.failed)) return;
  const std::uint64_t times = world_.chance(0.7) ? 1 : up_to(20);
  const char* file = world_.chance(0.6) ? "-wal" : world_.chance(0.5) ? ".db" : "ANCHOR";
  if (world_.chance(0.5)) {
    disk_.fail_sync(file, 1, test::io_fsync, times);
  } else {
    disk_.fail_write(file, up_to(10), test::io_write, times);
  }
}

// Until the journal's thread has nothing to do any more. It destroys what it was to call only then, behind the
// maintenance that a commit brings about.
CommitResult SqliteNodeDisk::settle(const std::function<void(journal::CommitDone)>& hand_over) {
  struct AtEnd {
    std::shared_ptr<std::promise<void>> idle;
    explicit AtEnd(std::shared_ptr<std::promise<void>> told) : idle(std::move(told)) {}
    ~AtEnd() { idle->set_value(); }
  };
  const auto idle = std::make_shared<std::promise<void>>();
  CommitResult result = CommitResult::unknown;
  hand_over([&result, end = std::make_unique<AtEnd>(idle)](CommitResult told) { result = told; });
  idle->get_future().wait();
  return result;
}

CommitResult SqliteNodeDisk::commit(journal::Journal& journal, journal::Commit commit) {
  draw_faults();
  return settle([&](journal::CommitDone done) { journal.commit(std::move(commit), std::move(done)); });
}

CommitResult SqliteNodeDisk::rewrite(journal::Journal& journal, journal::Rewrite piece) {
  draw_faults();
  return settle([&](journal::CommitDone done) { journal.rewrite(std::move(piece), std::move(done)); });
}

bool SqliteNodeDisk::excuses(const journal::JournalError& error) const {
  if (disk_.is_off()) return true;
  const bool fails = chances_.failed > 0 || chances_.full > 0 || !disk_.failed_to_sync().empty();
  return fails && error.damage == journal::Damage::none;
}

void SqliteNodeDisk::die(std::unique_ptr<journal::Journal> journal, std::optional<journal::Commit> under_way) {
  if (under_way && !is_off() && world_.chance(0.7)) {
    disk_.cut_at_operation(static_cast<std::uint64_t>(world_.between(1, 30)));
    settle([&](journal::CommitDone done) { journal->commit(std::move(*under_way), std::move(done)); });
  }
  journal.reset();
  disk_.heal();
  if (!is_off() && world_.chance(chances_.kills)) return disk_.restart();
  disk_.cut_now();
  disk_.reboot(world_.random(), survival_);
}

void SqliteNodeDisk::set_chances(const Chances& chances) {
  NodeDisk::set_chances(chances);
  disk_.heal();
}

}  // namespace nissa::simulation
