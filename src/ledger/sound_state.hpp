// From what is sound of a damaged journal to the latest state that it still comes to, for --accept-loss: always one
// that the ledger went through, after some record, with all records before that and none after.
#pragma once
#include "journal/sqlite_sound_part.hpp"
#include "ledger/recovery.hpp"

namespace nissa::ledger {

// The newest complete snapshot of which no row is damaged, or an older one, or none; then the records after it, up to
// the first that is not sound. Blocking. Error: nothing sound is there, or it was written by a newer Nissa.
journal::JournalResult<Recovered> recover_sound_part(journal::SoundPart& part, const LedgerOptions& options);

}  // namespace nissa::ledger
