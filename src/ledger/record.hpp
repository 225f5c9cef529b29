// One group's record: all that applying it needs, and nothing that depends on who applies it or when. Its bytes are
// described in docs/journal-format.md. encode and decode are inverse to each other (property-tested).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"
#include "slo/definition.hpp"
#include "slo/slo_id.hpp"

namespace nissa::ledger {

using journal::Lsn;

// An epoch's first record in this state.
struct NewEpoch {
  Epoch epoch = 0;
  EpochSeen seen;
  std::string agent;
  std::string principal;
  bool operator==(const NewEpoch&) const = default;
};

struct CountedBatch {
  BatchKey key;
  Sequence settled_below = 0;
  Fingerprint print;
  bool operator==(const CountedBatch&) const = default;
};

// The agent said that it never uses the epoch again.
struct EndedEpoch {
  Epoch epoch = 0;
  EpochSeen seen;
  bool operator==(const EndedEpoch&) const = default;
};

// Merged counts of one SLO in one 10 s bucket. Sorted by SLO, then bucket, each pair once; good ≤ total, total > 0.
struct BucketCount {
  slo::SloId slo = 0;
  Bucket bucket = 0;
  std::uint64_t good = 0;
  std::uint64_t total = 0;
  bool operator==(const BucketCount&) const = default;
};

struct Define {
  slo::SloId id = 0;
  slo::Definition definition;
  bool operator==(const Define&) const = default;
};

struct Record {
  Lsn lsn = 0;
  UnixMs ledger_ms = 0;      // absolute; never less than the record before
  RunningMs running_ms = 0;  // absolute: applied twice it would still be right
  // Absolute, never sinks: what bears an older epoch_seen is no longer accepted into an unknown epoch. Decided when the
  // group closes, because a tombstone that has to go depends on all the others (see tombstones.hpp).
  RunningMs floor = 0;
  std::vector<NewEpoch> new_epochs;
  std::vector<CountedBatch> batches;
  std::vector<EndedEpoch> ended;
  std::vector<Epoch> forgotten;
  std::vector<BucketCount> counts;
  std::vector<Define> defines;
  std::vector<slo::SloId> retired;
  bool operator==(const Record&) const = default;
  // A TICK: nothing but time.
  bool only_time() const {
    return new_epochs.empty() && batches.empty() && ended.empty() && forgotten.empty() && counts.empty() &&
           defines.empty() && retired.empty();
  }
};

Bytes encode(const Record& record);
Result<Record> decode_record(ByteView bytes);

}  // namespace nissa::ledger
