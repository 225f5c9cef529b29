#include "simulation/node_disk.hpp"

namespace nissa::simulation {

using journal::CommitResult;

journal::JournalResult<journal::Opened> FakeNodeDisk::open() { return test::open_fake(disk_); }

// What becomes of what was handed over.
CommitResult FakeNodeDisk::draw_end(test::FakeJournal& journal) {
  if (world_.chance(chances_.cut)) {
    journal.crash(world_.chance(0.5));
    off_ = true;
    return CommitResult::unknown;
  }
  if (world_.chance(chances_.failed)) return CommitResult::unknown;
  return world_.chance(chances_.full) ? CommitResult::full : CommitResult::durable;
}

CommitResult FakeNodeDisk::commit(journal::Journal& journal, journal::Commit commit) {
  auto& fake = static_cast<test::FakeJournal&>(journal);
  CommitResult result = CommitResult::unknown;
  fake.commit(std::move(commit), [&](CommitResult told) { result = told; });
  fake.finish(draw_end(fake));
  return result;
}

CommitResult FakeNodeDisk::rewrite(journal::Journal& journal, journal::Rewrite piece) {
  auto& fake = static_cast<test::FakeJournal&>(journal);
  CommitResult result = CommitResult::unknown;
  fake.rewrite(std::move(piece), [&](CommitResult told) { result = told; });
  fake.finish(draw_end(fake));
  return result;
}

void FakeNodeDisk::die(std::unique_ptr<journal::Journal> journal, std::optional<journal::Commit> under_way) {
  if (under_way && !off_) {
    auto& fake = static_cast<test::FakeJournal&>(*journal);
    fake.commit(std::move(*under_way), [](CommitResult) {});
    fake.crash(world_.chance(0.5));
  }
  off_ = false;
}

}  // namespace nissa::simulation
