#include "overload/class_order.hpp"

#include <algorithm>

namespace nissa::overload {

std::optional<Priority> ClassOrder::pick(const FirstInLine& waiting) const {
  std::optional<Priority> highest;
  for (std::size_t i = priority_count; i-- > 0;) {
    if (waiting[i] == 0) continue;
    if (floor_percent_[i] > 0 && owed_[i] >= waiting[i] * 100) return all_priorities[i];
    if (!highest) highest = all_priorities[i];
  }
  return highest;
}

void ClassOrder::served(Priority priority, const FirstInLine& waiting) {
  const std::uint64_t bytes = waiting[index_of(priority)];
  for (std::size_t i = 0; i < priority_count; ++i)
    if (waiting[i] > 0) owed_[i] += bytes * floor_percent_[i];
  std::uint64_t& own = owed_[index_of(priority)];
  own -= std::min(own, bytes * 100);
}

}  // namespace nissa::overload
