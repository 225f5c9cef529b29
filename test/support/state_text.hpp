// A state in lines of text: what a fixture is compared by, so that the next release has to read this one's state.
#pragma once
#include <string>

#include "ledger/ledger.hpp"

namespace nissa::test {

// One fact a line; the state hash, times, gaps, definitions with lifetimes, the buckets of the last hour, streams and
// tombstones.
std::string state_text(const ledger::Ledger& ledger);

}  // namespace nissa::test
