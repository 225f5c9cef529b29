// A state as nissad leaves it behind when it is killed: made through the real ledger, snapshot writer and journal, of
// random records that use all that a record can say.
#pragma once
#include <cstdint>
#include <string>

#include "ledger/recovery.hpp"

namespace nissa::test {

struct MadeState {
  std::uint64_t hash = 0;
  journal::Lsn last_lsn = 0;
  std::uint64_t snapshots = 0;
};

// `directory` is not there yet. `records` of them, over two starts: after the second one the last eighth is in the
// write-ahead log alone, with the begin of a third snapshot. Exits the program if anything fails.
MadeState make_state(const std::string& directory, std::uint64_t seed, int records);

// One more start: all that was in the log is in the database.
void settle(const std::string& directory);

// Of every section of a record one is in a kept record, and of every kind of row one in the rows.
bool uses_everything(const std::string& directory);

// What a start comes to.
journal::JournalResult<ledger::Recovered> recovered_at(const std::string& directory);

}  // namespace nissa::test
