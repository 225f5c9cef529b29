// The disk of a simulated node with the journal on it, and what goes wrong with both. A commit takes no simulated time:
// the node lets that pass before it asks, and it may die in between.
#pragma once
#include <memory>
#include <optional>

#include "journal/journal.hpp"
#include "simulation/world.hpp"
#include "support/fake_journal.hpp"

namespace nissa::simulation {

class NodeDisk {
 public:
  // Of a commit, or a piece of a new file, unless it says otherwise.
  struct Chances {
    double cut = 0;        // the power goes, in its midst or a little later
    double start_cut = 0;  // of a start: the same
    double kills = 0;      // of a death: only the process dies, and what it has written is read again
    double failed = 0;     // it ends with its fate unknown, and the node lives
    double full = 0;       // it meets a full disk
  };

  NodeDisk() = default;
  virtual ~NodeDisk() = default;
  NodeDisk(const NodeDisk&) = delete;
  NodeDisk& operator=(const NodeDisk&) = delete;

  virtual journal::JournalResult<journal::Opened> open() = 0;
  virtual journal::CommitResult commit(journal::Journal& journal, journal::Commit commit) = 0;
  virtual journal::CommitResult rewrite(journal::Journal& journal, journal::Rewrite piece) = 0;
  // The power went in the midst of what was asked last: whatever that said, nothing goes on until die().
  virtual bool is_off() const = 0;
  // Whether a start may end so: the power went, or the disk failed it.
  virtual bool excuses(const journal::JournalError& error) const = 0;
  // The node is dead; a commit may have been under way. What of it is left open() will tell.
  virtual void die(std::unique_ptr<journal::Journal> journal, std::optional<journal::Commit> under_way) = 0;
  virtual void set_chances(const Chances& chances) { chances_ = chances; }

 protected:
  Chances chances_;
};

// A journal that is a map: fast, and trims at once what may be trimmed. Starts are not cut.
class FakeNodeDisk final : public NodeDisk {
 public:
  explicit FakeNodeDisk(World& world) : world_(world) { disk_.state_id = 42; }
  journal::JournalResult<journal::Opened> open() override;
  journal::CommitResult commit(journal::Journal& journal, journal::Commit commit) override;
  journal::CommitResult rewrite(journal::Journal& journal, journal::Rewrite piece) override;
  bool is_off() const override { return off_; }
  bool excuses(const journal::JournalError&) const override { return false; }
  void die(std::unique_ptr<journal::Journal> journal, std::optional<journal::Commit> under_way) override;

 private:
  journal::CommitResult draw_end(test::FakeJournal& journal);

  World& world_;
  test::FakeDisk disk_;
  bool off_ = false;
};

}  // namespace nissa::simulation
