// nissad inspect DIR: what a state directory holds, in words or as JSON. Looks at a copy, because opening a write-ahead
// log changes it, even for reading.
#pragma once
#include <string>

namespace nissa::app {

// Prints to standard output; an exit code (exit_code.hpp). Blocking.
int inspect(const std::string& directory, bool as_json);

}  // namespace nissa::app
