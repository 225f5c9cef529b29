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

  // Not part of the state: the last record that is in it, and whether it waits to be written to a snapshot.
  journal::Lsn changed_lsn = 0;
  bool queued = false;

  const StreamWindow& stream(Priority priority) const { return streams[index_of(priority)]; }
  StreamWindow& stream(Priority priority) { return streams[index_of(priority)]; }
  // All it holds, its places in the tables included.
  std::size_t bytes() const;
};

// Canonical bytes: equal state, equal bytes. docs/journal-format.md, "rows".
void encode(const EpochState& state, Bytes& out);
Result<EpochState> decode_epoch(ByteView bytes);

}  // namespace nissa::ledger
