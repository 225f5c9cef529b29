// What the ledger remembers of an agent's epoch: all its streams together, for they are forgotten together.
#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "journal/journal.hpp"
#include "ledger/stream_window.hpp"

namespace nissa::ledger {

struct EpochState {
  EpochSeen seen;                 // of its first record
  RunningMs last_running_ms = 0;  // of its last record
  std::string agent;
  std::string principal;
  std::array<StreamWindow, priority_count> streams;  // by index_of(priority)

  // Not part of the state.
  journal::Lsn changed_lsn = 0;    // the last record that changed it
  journal::Lsn contained_lsn = 0;  // loaded from a row: records up to this one are in it already
  RunningMs due_key_ms = 0;        // its place among those that will be due (Epochs)
  std::uint32_t trimmed_for = 0;   // the record (its lowest bits) for which its windows were looked at last (Epochs)
  bool queued = false;             // it waits to be written to a snapshot

  const StreamWindow& stream(Priority priority) const { return streams[index_of(priority)]; }
  StreamWindow& stream(Priority priority) { return streams[index_of(priority)]; }
  // All it holds, its places in the tables included.
  std::size_t bytes() const;
};

// Canonical bytes: equal state, equal bytes. docs/journal-format.md, "rows".
void encode(const EpochState& state, Bytes& out);
Result<EpochState> decode_epoch(ByteView bytes);

}  // namespace nissa::ledger
