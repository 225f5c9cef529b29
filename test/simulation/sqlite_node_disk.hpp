// The journal as it is, over a disk in memory that forgets what was not synced. The journal's thread runs only while
// the simulation waits for it: the same seed, the same trace.
#pragma once
#include <functional>

#include "journal/options.hpp"
#include "simulation/node_disk.hpp"
#include "support/power_cut_vfs.hpp"
#include "support/temp_dir.hpp"

namespace nissa::simulation {

class SqliteNodeDisk final : public NodeDisk {
 public:
  explicit SqliteNodeDisk(World& world);
  // The first open() begins a state with this id. Else with one of its own choice.
  void begin_birth(journal::StateId state_id);

  journal::JournalResult<journal::Opened> open() override;
  journal::CommitResult commit(journal::Journal& journal, journal::Commit commit) override;
  journal::CommitResult rewrite(journal::Journal& journal, journal::Rewrite piece) override;
  bool is_off() const override { return disk_.is_off(); }
  bool excuses(const journal::JournalError& error) const override;
  void die(std::unique_ptr<journal::Journal> journal, std::optional<journal::Commit> under_way) override;
  // Without chances, nothing that was to come comes any more.
  void set_chances(const Chances& chances) override;

  test::PowerCutDisk& disk() { return disk_; }
  // Of what was not synced, at the reboots from now on.
  void let_survive(test::Survival survival) { survival_ = survival; }

 private:
  void draw_faults();
  journal::CommitResult settle(const std::function<void(journal::CommitDone)>& hand_over);

  World& world_;
  test::PowerCutDisk disk_;
  test::TempDir directory_;
  journal::Options options_;
  test::Survival survival_ = test::Survival::drawn;
};

}  // namespace nissa::simulation
