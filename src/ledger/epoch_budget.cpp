#include "ledger/epoch_budget.hpp"

#include <algorithm>

#include "base/violation.hpp"

namespace nissa::ledger {

void EpochBudget::make_room(std::string_view principal) {
  if (!by_principal_.contains(principal)) by_principal_.emplace(principal, 0);
}

void EpochBudget::charge(std::string_view principal, std::size_t bytes) {
  const auto found = by_principal_.find(principal);
  if (found != by_principal_.end()) {
    found->second += bytes;
  } else {
    by_principal_.emplace(principal, bytes);
  }
  used_ += bytes;
}

void EpochBudget::release(std::string_view principal, std::size_t bytes) {
  const auto found = by_principal_.find(principal);
  if (found == by_principal_.end() || found->second < bytes || used_ < bytes) {
    violation("ledger", "what is released was charged");
    used_ -= std::min(used_, bytes);
    if (found != by_principal_.end()) by_principal_.erase(found);
    return;
  }
  used_ -= bytes;
  found->second -= bytes;
  if (found->second == 0) by_principal_.erase(found);
}

}  // namespace nissa::ledger
