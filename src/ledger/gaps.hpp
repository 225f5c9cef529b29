// The stretches of ledger time that were not measured: Nissa was not up and able to acknowledge. Part of the state.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/time_types.hpp"
#include "slo/coverage.hpp"

namespace nissa::ledger {

// Ascending, disjoint. At most `most`: beyond, the two with the least measured time between them become one, that time
// included (an error on the cautious side: `lower` shrinks, nothing is paged for it). Those that ended longer ago than
// any window reaches are dropped.
class Gaps {
 public:
  static constexpr std::size_t most = 4096;
  static constexpr std::int64_t kept_ms = 31LL * 24 * 3600 * 1000;

  // from_ms < to_ms, and not before the last one's end.
  void add(slo::Gap gap);
  void drop_old(UnixMs now_ms);
  std::span<const slo::Gap> all() const { return gaps_; }

  void encode(ByteWriter& out) const;
  bool decode(ByteReader& in);
  bool operator==(const Gaps&) const = default;

 private:
  std::vector<slo::Gap> gaps_;
};

}  // namespace nissa::ledger
