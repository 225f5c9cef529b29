// From the journal's rows and records to the state: the rows of the newest complete snapshot, then the records from its
// begin on, each object skipping those that its row contains. Nothing is judged, nothing is written.
#pragma once
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "journal/journal.hpp"
#include "ledger/ledger.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::ledger {

struct Recovered {
  std::unique_ptr<Ledger> ledger;    // live
  RowCatalog catalog;                // for the SnapshotWriter, with
  std::vector<RowVersion> unneeded;  // the rows that it is to erase
  Generation snapshot = 0;           // that was loaded; 0: none, all comes from records
  std::uint64_t rows = 0;            // loaded
  std::uint64_t records = 0;         // replayed
};

// For `last_lsn`: where the reading ends, there the state ends; but not before its snapshot is complete.
inline constexpr Lsn as_far_as_it_goes = std::numeric_limits<Lsn>::max();

// Blocking, before the journal is started. 10 000 SLOs with 30 days of history: about half a second.
// Errors say what is missing; never a silent loss: a row or record that is not what was written, a record that is
// missing, an end before `last_lsn` (as the journal said when it was opened).
// `latest`: complete snapshots later than this one are left aside; it has to come to the same state. 0: all of them,
// and all comes from records.
journal::JournalResult<Recovered> recover(journal::JournalReader& journal, Lsn last_lsn, const LedgerOptions& options,
                                          Generation latest = std::numeric_limits<Generation>::max());

}  // namespace nissa::ledger
