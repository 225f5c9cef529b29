// A state as nissad leaves it behind when it is killed: made through the real ledger, snapshot writer and journal, of
// random records that use all that a record can say.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "ledger/recovery.hpp"

namespace nissa::test {

struct MadeState {
  journal::StateId state_id = 0;
  std::uint64_t hash = 0;
  journal::Lsn last_lsn = 0;
  std::uint64_t snapshots = 0;
  UnixMs ledger_ms = 0;
  std::vector<Bytes> records;  // all of them, from 1 on
};

// `directory` is not there yet. `records` of them, over two starts: after the second one the last eighth is in the
// write-ahead log alone, with the begin of a third snapshot. Exits the program if anything fails.
MadeState make_state(const std::string& directory, std::uint64_t seed, int records);

// By the last sound record (0: there is none such): what the state comes to when all after it is lost, and that is
// accepted at `now_ms`.
std::vector<std::uint64_t> hashes_after_loss(const MadeState& made, UnixMs now_ms);

// One more start: all that was in the log is in the database.
void settle(const std::string& directory);

// Of every section of a record one is in a kept record, and of every kind of row one in the rows.
bool uses_everything(const std::string& directory);

// As test states are recovered and hashed, whichever id they have.
ledger::LedgerOptions any_state();

// What a start comes to.
journal::JournalResult<ledger::Recovered> recovered_at(const std::string& directory);

}  // namespace nissa::test
