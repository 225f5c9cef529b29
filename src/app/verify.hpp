// nissad verify DIR: is the state sound? All that a start checks and all that it does not need to: both slots of
// ANCHOR, every kept record, both kept snapshots, and that what was recovered could be written and read again.
#pragma once
#include <string>
#include <vector>

#include "journal/journal.hpp"

namespace nissa::app {

struct Finding {
  enum class Verdict : std::uint8_t {
    ok,
    warning,  // something is wrong that costs nothing: a start mends it
    damaged,  // by a name of docs/journal-format.md, or `unlike`
  };
  Verdict verdict = Verdict::ok;
  std::string text;
};

// Of a copy: looking changes it. Blocking. Error: there is no state, or it cannot be read.
journal::JournalResult<std::vector<Finding>> findings_of(const std::string& directory);

// Prints a line a check to standard output; an exit code: 0 sound, 3 damaged, 1 could not look. Blocking.
int verify(const std::string& directory);

}  // namespace nissa::app
