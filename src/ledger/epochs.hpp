// The ledger's memory of keys: every epoch that may still send, and the tombstones of those that said Goodbye.
// Only apply(record) moves it; everything else asks. Pure: no clock, no thread of its own; on the ledger's strand.
//
// Cost: find 20 – 40 ns; apply 30 – 60 ns for a batch of another epoch than the one before it in the record.
#pragma once
#include <boost/circular_buffer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ledger/epoch_budget.hpp"
#include "ledger/epoch_hash.hpp"
#include "ledger/epoch_order.hpp"
#include "ledger/epoch_state.hpp"
#include "ledger/objects.hpp"
#include "ledger/options.hpp"
#include "ledger/record.hpp"
#include "ledger/tombstones.hpp"

namespace nissa::ledger {

// A state as it stands now: whose it is, and how long it has run (by its last applied record).
struct StateNow {
  std::uint64_t state_id = 0;
  RunningMs running_ms = 0;
};

// One row of a snapshot: an epoch with all its streams, or a tombstone.
struct EpochObject {
  enum class Kind : std::uint8_t { epoch = 1, tombstone = 2 };
  Kind kind = Kind::epoch;
  Epoch epoch = 0;
  auto operator<=>(const EpochObject&) const = default;
};
inline ObjectId object_of(const EpochObject& object) {
  return {object.kind == EpochObject::Kind::epoch ? ObjectKind::epoch : ObjectKind::tombstone, object.epoch};
}

class Epochs {
 public:
  explicit Epochs(EpochLimits limits = {}, std::uint64_t hash_seed = 0);

  // --- The one thing that moves. new_epochs, then batches, ended, forgotten; last the record's floor and running time.
  // An object that was loaded at an lsn skips the records up to it.
  void apply(const Record& record);
  // Memory for that: apply of this record needs none, if nothing else is applied before. Fails by std::bad_alloc; the
  // state is as before. 20 ns a batch of another epoch than the one before it.
  void reserve(const Record& record);

  // --- Questions.
  // nullptr: unknown. Valid until the next apply or load.
  const EpochState* find(Epoch epoch) const;
  // May a batch of this unknown epoch come in? What is refused here is refused for ever (no record can change it back),
  // but for an epoch_seen ahead of the running time, which no honest agent has.
  bool accepts_unknown(Epoch epoch, const EpochSeen& seen, const StateNow& now) const;
  bool ended(Epoch epoch) const { return tombstones_.find(epoch) != nullptr; }
  RunningMs floor() const { return floor_; }
  const EpochBudget& budget() const { return budget_; }
  std::size_t size() const { return epochs_.size(); }
  std::size_t tombstones() const { return tombstones_.size(); }
  std::size_t tombstone_bytes() const { return tombstones_.bytes(); }
  // At most so many, those first that began or were looked at by to_forget last.
  std::vector<Epoch> latest(std::size_t most) const;

  // --- When a group closes.
  // Epochs whose last record is 8 days of running time back, ascending; at most `most`, the others next time. Not those
  // for which `keep` is true: they have a key in the closing group.
  std::vector<Epoch> to_forget(RunningMs running_ms, std::size_t most, const std::function<bool(Epoch)>& keep);
  RunningMs floor_with(std::span<const EndedEpoch> ended) const { return tombstones_.floor_with(ended, floor_); }

  // --- Snapshots. An object that changes is queued once, in the order of the first change since it was last taken.
  std::size_t changed() const { return changed_.size(); }
  // So a snapshot that takes as many as changed() said at its begin has all that changed before; put_back keeps that
  // true by putting what a failed transaction held in front, even if it has changed again and stands at the back as
  // well.
  std::optional<EpochObject> take_changed();
  void put_back(const EpochObject& object);
  // What is queued now, and the lsn of each one's last change; for tests and for who wants to look first.
  void for_each_changed(const std::function<void(const EpochObject&, Lsn changed_lsn)>& visit) const;
  // The canonical bytes of an object, appended. False: it is no more, and its row is to be erased.
  bool encode(const EpochObject& object, Bytes& out) const;
  // Every object, by kind and epoch: for the state hash and for a copy of everything.
  std::vector<EpochObject> objects() const;

  // --- Recovery: load the rows in any order (each with the lsn of its row), load_now, loaded(complete), then apply
  // the records from the snapshot's begin on.
  Status load(const EpochObject& object, ByteView value, Lsn lsn);
  // Of the row that bears the state's own figures: tombstones that these have passed are dead from here on.
  void load_now(RunningMs running_ms, RunningMs floor);
  // The rows were taken while records up to `complete` were applied: up to there a record may speak of an epoch that is
  // in no row, because it ended before its row was due. Beyond, that would be a violation.
  void loaded(Lsn complete) { complete_ = complete; }

 private:
  // What is taken away or looked at in one go: well below a millisecond.
  static constexpr std::size_t sweep_slice = 256;

  void reserve_epochs(const Record& record);
  void reserve_windows(const Record& record);
  void reserve_changed(std::size_t more);
  std::unique_ptr<EpochState>* reserved(Epoch epoch);
  EpochState& insert(Epoch epoch, std::unique_ptr<EpochState> state);
  void erase(Epoch epoch, const Record& record);
  void begin(const NewEpoch& fresh, const Record& record);
  void settle(const Record& record);
  EpochState* to_settle(Epoch epoch, const Record& record);
  void end(const EndedEpoch& ended, const Record& record);
  void pass(RunningMs running_ms, RunningMs floor, std::size_t ended);
  void push_changed(const EpochObject& object);
  void queue(const EpochObject& object, bool& queued);
  RunningMs oldest_accepted(RunningMs running_ms, RunningMs floor) const;

  RunningMs memory_ms_;
  boost::unordered_flat_map<Epoch, std::unique_ptr<EpochState>, EpochHash> epochs_;
  EpochBudget budget_;
  Tombstones tombstones_;
  RunningMs floor_ = 0;
  // By last_running_ms as it was when put here: an epoch that has sent since is put again when its turn comes, so that
  // sending costs nothing here.
  EpochOrder due_;
  boost::circular_buffer<EpochObject> changed_;
  Lsn complete_ = 0;
  // What reserve() made for the record that is applied next.
  struct ReservedEpoch {
    Epoch epoch = 0;
    std::unique_ptr<EpochState> state;
  };
  std::vector<ReservedEpoch> reserved_;  // by epoch
  std::vector<Epoch> gone_;              // empty but for its memory
  Lsn reserved_lsn_ = 0;
};

}  // namespace nissa::ledger
