// Looking at a state: always at a copy, because opening a write-ahead log changes it, even for reading; and at another
// copy when damage may be the copy's alone, because a server was writing meanwhile.
#pragma once
#include <functional>
#include <string>

#include "journal/journal.hpp"

namespace nissa::app {

// `look` gets the folder of a copy, once for each copy: at most ten, 50 ms apart. Its error is the answer unless the
// original changed while it was copied. Damage `none`: `directory` could not be looked at, or no copy of it was whole.
// Blocking.
journal::JournalStatus look_at_copies(const std::string& directory,
                                      const std::function<journal::JournalStatus(const std::string& copy)>& look);

// A copy is our affair: whoever asked knows the files by the directory they named.
std::string in_words_of(const std::string& directory, const std::string& copy, std::string message);

}  // namespace nissa::app
