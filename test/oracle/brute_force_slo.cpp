#include "oracle/brute_force_slo.hpp"

namespace nissa::oracle {

void BruteForceSlo::add(std::uint32_t slo, const Event& event, std::int64_t record_ms) {
  Slo& one = slos_[slo];
  one.events.push_back(event);
  if (!one.born_ms) one.born_ms = record_ms;
}

BruteCounts BruteForceSlo::window(std::uint32_t slo, std::int64_t now_ms, std::int64_t length_ms,
                                  std::int64_t grid_ms) const {
  BruteCounts counts;
  const auto found = slos_.find(slo);
  if (found == slos_.end()) return counts;
  const std::int64_t start_ms = now_ms - now_ms % grid_ms - length_ms;
  for (const Event& event : found->second.events) {
    const std::int64_t bucket_start_ms = event.at_ms - event.at_ms % 10'000;
    if (bucket_start_ms < start_ms || bucket_start_ms > now_ms) continue;
    counts.total += event.times;
    if (event.good) counts.good += event.times;
  }
  return counts;
}

BruteCounts BruteForceSlo::lifetime(std::uint32_t slo) const {
  BruteCounts counts;
  const auto found = slos_.find(slo);
  if (found == slos_.end()) return counts;
  for (const Event& event : found->second.events) {
    counts.total += event.times;
    if (event.good) counts.good += event.times;
  }
  return counts;
}

std::optional<std::int64_t> BruteForceSlo::born(std::uint32_t slo) const {
  const auto found = slos_.find(slo);
  return found == slos_.end() ? std::nullopt : found->second.born_ms;
}

}  // namespace nissa::oracle
