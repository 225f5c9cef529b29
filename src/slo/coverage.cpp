#include "slo/coverage.hpp"

#include <algorithm>

namespace nissa::slo {

Coverage coverage_of(UnixMs start_ms, UnixMs now_ms, std::span<const Gap> gaps, UnixMs born_ms) {
  Coverage coverage{std::max<std::int64_t>(now_ms - start_ms, 0), 0};
  const UnixMs alive_ms = std::clamp(born_ms, start_ms, start_ms + coverage.length_ms);
  coverage.unmeasured_ms = alive_ms - start_ms;
  // Gaps before the birth are unmeasured already.
  auto gap = std::ranges::partition_point(gaps, [&](const Gap& one) { return one.to_ms <= alive_ms; });
  for (; gap != gaps.end() && gap->from_ms < now_ms; ++gap) {
    coverage.unmeasured_ms += std::min(gap->to_ms, now_ms) - std::max(gap->from_ms, alive_ms);
  }
  return coverage;
}

}  // namespace nissa::slo
