// Whose turn is it: the highest class that waits, except that each class below is owed a floor.
// For every byte served, each class that waits is owed floor percent of it; a class that is owed as much as its first
// in line weighs goes before all others. So a class that waits gets at least its floor of the bytes, however many wait
// above it, and a burst of what is owed is never larger than one batch. Weighed in bytes, not in numbers of turns:
// else one LOW batch of 1 MiB for each 20 CRITICAL ones of 1 KiB would take 98 % of the time.
// Pure; any one strand; a few nanoseconds.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>

#include "overload/options.hpp"

namespace nissa::overload {

// Bytes of the first in line of each class; 0: nobody waits there.
using FirstInLine = PerClass<std::size_t>;

class ClassOrder {
 public:
  explicit ClassOrder(const PerClass<std::uint32_t>& floor_percent) : floor_percent_(floor_percent) {}

  // nullopt: nobody waits.
  std::optional<Priority> pick(const FirstInLine& waiting) const;
  // The first in line of `priority` was served; `waiting` as it was given to pick().
  void served(Priority priority, const FirstInLine& waiting);

 private:
  PerClass<std::uint32_t> floor_percent_;
  PerClass<std::uint64_t> owed_{};  // in bytes x 100
};

}  // namespace nissa::overload
