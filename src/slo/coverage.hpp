// How much of a window was measured at all. Unmeasured is the time in which Nissa was not up and able to acknowledge
// (gaps), and the time before the SLO was born.
#pragma once
#include <cstdint>
#include <span>

#include "base/time_types.hpp"

namespace nissa::slo {

// [from_ms, to_ms) in ledger time.
struct Gap {
  UnixMs from_ms = 0;
  UnixMs to_ms = 0;
  bool operator==(const Gap&) const = default;
};

struct Coverage {
  std::int64_t length_ms = 0;      // W as cut on the grid: at least the window's own length, less than a period more
  std::int64_t unmeasured_ms = 0;  // u, at most W
  std::int64_t measured_ms() const { return length_ms - unmeasured_ms; }  // c
  double ratio() const {                                                  // display only; 1 for an empty window
    return length_ms == 0 ? 1.0 : static_cast<double>(measured_ms()) / static_cast<double>(length_ms);
  }
};

// Of [start_ms, now_ms), start_ms from window_start_ms(). `gaps`: sorted, disjoint. `born_ms`: not_born for an SLO that
// never counted: nothing is measured. O(log gaps + gaps inside).
Coverage coverage_of(UnixMs start_ms, UnixMs now_ms, std::span<const Gap> gaps, UnixMs born_ms);

}  // namespace nissa::slo
