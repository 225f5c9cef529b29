// Good and total events of one SLO in some stretch of time.
#pragma once
#include <cstdint>

namespace nissa::slo {

struct Counts {
  std::uint64_t good = 0;
  std::uint64_t total = 0;  // >= good
  std::uint64_t bad() const { return total - good; }
  Counts& operator+=(const Counts& more) {
    good += more.good;
    total += more.total;
    return *this;
  }
  Counts& operator-=(const Counts& less) {
    good -= less.good;
    total -= less.total;
    return *this;
  }
  bool operator==(const Counts&) const = default;
};

}  // namespace nissa::slo
