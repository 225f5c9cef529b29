// The state: what has been counted, and which batches are in it. Only apply(record) moves it, time included; so live,
// replayed and recovered states are equal, which state_hash() proves. Pure: no clock, no thread of its own; everything
// here is for the ledger's strand.
//
// Split by verb: ledger_apply.cpp moves it, ledger_reserve.cpp has the memory for that, ledger_objects.cpp takes it
// apart for snapshots and puts it together again. A broken expectation inside apply quarantines the SLO (its numbers
// are not to be trusted, and say so); the record is applied as far as it goes, never skipped.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "ledger/definitions.hpp"
#include "ledger/epochs.hpp"
#include "ledger/gaps.hpp"
#include "ledger/objects.hpp"
#include "ledger/record.hpp"
#include "slo/block.hpp"

namespace nissa::ledger {

// What the next record bears.
struct Stamp {
  Lsn lsn = 0;
  UnixMs ledger_ms = 0;
  RunningMs running_ms = 0;
};

struct LedgerOptions {
  std::uint64_t state_id = 0;  // the journal's
  EpochLimits epochs;
  std::uint64_t hash_seed = 0;  // for tables whose keys come from outside
};

class Ledger {
 public:
  // A new state; or an empty one to load objects into, which then replays records (recovery.hpp).
  enum class Mode { live, replaying };
  explicit Ledger(LedgerOptions options, Mode mode = Mode::live);
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // --- The one thing that moves. lsn = applied() + 1. About 20 ns a count, 50 ns a batch. Blocks that a record does
  // not touch are left behind in time; whoever reads one brings it forward.
  void apply(const Record& record);
  // Live, when what came after the last record is lost (--accept-loss), before all is written anew: until now nothing
  // was measured, however short it is, and no time ran. By 1 ms at least.
  void lose_until(UnixMs now_ms);
  // Live, before the record goes to the journal: what is durable must be applied, so the memory for that is had
  // beforehand. apply() of this record then needs none, if nothing else is applied before. False: there is not enough;
  // the state is as before, and the record must not be written. 1 – 2 ns a count, 20 ns a batch, 200 ns for what is
  // new.
  bool reserve(const Record& record);
  // Brings at most `blocks` of those that lag forward, 2 – 6 µs each at an edge. True: none lags. For the 10 s edge.
  bool catch_up(std::size_t blocks);

  // --- Time, by the last record.
  Lsn applied() const { return applied_; }
  UnixMs ledger_ms() const { return meta_.ledger_ms; }
  RunningMs running_ms() const { return meta_.running_ms; }
  StateNow now() const { return {options_.state_id, meta_.running_ms}; }
  // `now_ms`: the ledger clock's. Valid while nothing is in flight.
  Stamp next_stamp(UnixMs now_ms) const;
  const Gaps& gaps() const { return meta_.gaps; }

  // --- The parts.
  Epochs& epochs() { return epochs_; }
  const Epochs& epochs() const { return epochs_; }
  const Definitions& definitions() const { return definitions_; }
  std::size_t block_count() const { return blocks_.size(); }
  // nullptr: nothing was ever counted in it. Brought forward to ledger_ms() (live).
  const slo::Block* block(std::uint32_t index) const;
  // Of the last record that counted into it.
  Lsn touched_lsn(std::uint32_t index) const;
  bool quarantined(slo::SloId slo) const { return meta_.quarantined.contains(slo); }
  std::size_t quarantined_count() const { return meta_.quarantined.size(); }
  std::size_t memory_bytes() const;

  // --- Objects (for the snapshot). The canonical bytes of one, appended. False: it is no more.
  bool encode_object(ObjectId object, Bytes& out) const;
  // Replaying, before the first apply.
  Status load_object(ObjectId object, ByteView value, Lsn lsn);
  // All is loaded: records from applied + 1 on are replayed; `complete`: no object was taken later than this.
  void begin_replay(Lsn applied, Lsn complete);
  // All is replayed. Up to 1 ms a block.
  void go_live();

  // 64 bits over the canonical bytes of the whole state. Some ms a hundred SLOs: for tests and for looking.
  std::uint64_t state_hash() const;

 private:
  // One object: times and what hangs on them.
  struct Meta {
    UnixMs ledger_ms = 0;
    RunningMs running_ms = 0;
    Gaps gaps;
    std::set<slo::SloId> quarantined;
    Lsn loaded_lsn = 0;
  };
  struct Slot {
    std::unique_ptr<slo::Block> block;
    std::unique_ptr<slo::Block> reserved;  // for the record that counts here first
    Lsn touched_lsn = 0;
  };
  bool ends_gap(const Record& record) const;
  void reserve_time(const Record& record);
  void reserve_counts(const Record& record);
  slo::Block& reserve_block(std::uint32_t index, UnixMs head_ms);
  void apply_time(const Record& record);
  void apply_counts(const Record& record);
  void quarantine(const Record& record, slo::SloId slo);
  slo::Block& own_block(std::uint32_t index, UnixMs head_ms);
  void encode_meta(Bytes& out) const;
  Status load_meta(ByteView value, Lsn lsn);

  LedgerOptions options_;
  Mode mode_;
  Lsn applied_ = 0;
  Meta meta_;
  Definitions definitions_;
  Epochs epochs_;
  std::vector<Slot> blocks_;
  // The gaps as they will be after a record that ends one.
  struct ReservedGaps {
    UnixMs from_ms = 0;
    UnixMs to_ms = 0;
    Gaps gaps;
  };
  std::optional<ReservedGaps> reserved_gaps_;
  std::size_t next_to_catch_up_ = 0;
};

}  // namespace nissa::ledger
