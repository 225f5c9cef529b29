// A state taken apart into its objects and put together again: what a snapshot of this moment would come to. Pure.
#pragma once
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "ledger/ledger.hpp"
#include "ledger/objects.hpp"

namespace nissa::ledger {

// Each object that there is, ascending.
std::vector<ObjectId> objects_of(const Ledger& ledger);

// Fails on the first object whose bytes cannot be read back. Some ms a hundred SLOs.
Result<std::unique_ptr<Ledger>> reassembled(const Ledger& ledger, const LedgerOptions& options);

}  // namespace nissa::ledger
