#include "ledger/gaps.hpp"

#include <algorithm>

#include "base/violation.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {

void Gaps::add(slo::Gap gap) {
  if (gap.to_ms <= gap.from_ms || (!gaps_.empty() && gap.from_ms < gaps_.back().to_ms)) {
    violation("ledger", "a gap follows the one before it");
    return;
  }
  gaps_.push_back(gap);
  if (gaps_.size() <= most) return;
  std::size_t closest = 0;
  for (std::size_t i = 1; i + 1 < gaps_.size(); ++i)
    if (gaps_[i + 1].from_ms - gaps_[i].to_ms < gaps_[closest + 1].from_ms - gaps_[closest].to_ms) closest = i;
  gaps_[closest].to_ms = gaps_[closest + 1].to_ms;
  gaps_.erase(gaps_.begin() + static_cast<std::ptrdiff_t>(closest) + 1);
}

void Gaps::drop_old(UnixMs now_ms) {
  const auto kept = std::ranges::find_if(gaps_, [&](const slo::Gap& gap) { return gap.to_ms > now_ms - kept_ms; });
  gaps_.erase(gaps_.begin(), kept);
}

void Gaps::encode(ByteWriter& out) const {
  out.varint(gaps_.size());
  UnixMs before = 0;
  for (const slo::Gap& gap : gaps_) {
    out.varint(static_cast<std::uint64_t>(gap.from_ms - before));
    out.varint(static_cast<std::uint64_t>(gap.to_ms - gap.from_ms));
    before = gap.to_ms;
  }
}

bool Gaps::decode(ByteReader& in) {
  gaps_.clear();
  UnixMs before = 0;
  for (std::size_t count = in.count(); count > 0 && !in.failed(); --count) {
    const std::uint64_t distance = in.varint();
    const std::uint64_t length = in.varint();
    if (distance > static_cast<std::uint64_t>(highest_ledger_ms) || length == 0 ||
        length > static_cast<std::uint64_t>(highest_ledger_ms))
      return false;
    const UnixMs from = before + static_cast<UnixMs>(distance);
    before = from + static_cast<UnixMs>(length);
    if (before > highest_ledger_ms) return false;
    gaps_.push_back({from, before});
  }
  return !in.failed() && gaps_.size() <= most;
}

}  // namespace nissa::ledger
