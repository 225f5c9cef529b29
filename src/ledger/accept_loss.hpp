// --accept-loss: a state that a start refuses is begun anew from what is sound of it.
//
// It gets an id of its own, so that agents learn that it is another one: what they sent and had no answer for may be in
// it or not, and they report it as uncertain. So no batch of the lost part comes in twice: an epoch that the sound part
// knows is counted by its window there; one that was lost bears the old id, and is never taken for new.
#pragma once
#include <string>

#include "base/clock.hpp"
#include "ledger/recovery.hpp"

namespace nissa::ledger {

struct AcceptedLoss {
  std::string database;           // that it was read from
  Lsn last_sound = 0;             // record: the state goes on from after it
  Lsn last_known = 0;             // record that ANCHOR knew to have been durable; 0: it said nothing
  UnixMs from_ms = 0;             // not measured from there
  UnixMs to_ms = 0;               // to now
  journal::StateId state_id = 0;  // the new one
  std::string kept_in;            // the folder with all files as they were
};

// Blocking; while no journal is open there. When it is done, a start finds the new state. On failure it refuses the old
// one as before. Damage `none`: the disk; else nothing sound is there, or a newer Nissa wrote it.
journal::JournalResult<AcceptedLoss> accept_loss(const journal::Options& journal, const LedgerOptions& options,
                                                 const Clock& clock);

}  // namespace nissa::ledger
