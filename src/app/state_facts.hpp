// What the files of a state hold, sound or not: each part is looked at by itself, so that damage to one does not hide
// the others. Nothing is put together here: that is recovery's work (ledger/recovery.hpp).
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/anchor.hpp"
#include "journal/journal.hpp"
#include "ledger/row_catalog.hpp"

namespace nissa::app {

struct FileSize {
  std::string name;
  std::uint64_t bytes = 0;
};

// Records first..last, without a gap, each as it was written.
struct SoundRecords {
  journal::Lsn first = 0;
  journal::Lsn last = 0;
};

struct RowFacts {
  std::uint64_t sound = 0;  // up to the first damaged one
  std::uint64_t bytes = 0;  // of them: keys and values
  std::optional<journal::JournalError> damage;
};

struct RecordFacts {
  std::uint64_t sound = 0;
  std::uint64_t bytes = 0;                      // of them
  std::vector<SoundRecords> ranges;             // ascending; at most `most_ranges`
  std::optional<journal::JournalError> damage;  // the first
  static constexpr std::size_t most_ranges = 16;
};

struct StateFacts {
  using Slot = std::expected<journal::AnchorState, journal::SlotFault>;
  std::vector<FileSize> files;  // by name; not the lock
  bool anchor_there = false;
  std::array<Slot, 2> slots{std::unexpected(journal::SlotFault::blank), std::unexpected(journal::SlotFault::blank)};
  std::string database;  // the file that ANCHOR names, else the first there is; empty: none
  bool backup = false;   // ANCHOR says that it is one which was never started
  // Of the database, as far as it can be opened.
  std::optional<journal::JournalError> unopened;
  journal::StateId state_id = 0;
  std::uint64_t generation = 0;
  journal::Lsn first_lsn = 0;
  journal::Lsn last_lsn = 0;
  RowFacts rows;
  RecordFacts records;
  std::vector<ledger::KeptSnapshot> complete;  // ascending
};

// The id that a backup bears, not the one that a start on it would draw.
inline journal::StateId as_it_lies_there(const journal::Opened& opened) {
  return opened.copy_of != 0 ? opened.copy_of : opened.state_id;
}

// A copy as a start would open it. Error, too: it holds no state.
journal::JournalResult<journal::Opened> open_copy(const std::string& directory);

// Of a copy: opening a database changes it. Blocking; reads all that is there.
StateFacts read_facts(const std::string& directory);

}  // namespace nissa::app
