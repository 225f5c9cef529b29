// What a batch adds to the SLOs, the literal way: decode with protobuf, hold each event against each rule, count one by
// one. Knows nothing of src/fold; of src/slo only the shape of a rule.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/refusal.hpp"
#include "base/time_types.hpp"
#include "nissa.pb.h"
#include "slo/matcher.hpp"

namespace nissa::test {

struct NaiveCounts {
  std::uint64_t good = 0;
  std::uint64_t total = 0;
  bool operator==(const NaiveCounts&) const = default;
};

struct NaiveFold {
  std::map<std::pair<slo::SloId, Bucket>, NaiveCounts> counts;
  std::uint32_t accepted = 0;
  std::uint32_t late = 0;
  std::array<std::uint32_t, event_fault_count> rejected{};
  std::uint32_t unmatched = 0;
  std::uint32_t fanout_dropped = 0;
};

struct NaiveContext {
  UnixMs ledger_now_ms = 0;
  UnixMs arrival_ms = 0;
  std::int64_t skew_ns = 0;
};

NaiveFold naive_fold(const v2::TelemetryBatch& batch, const std::vector<slo::Rule>& rules, const NaiveContext& context);

// `*` any run, `?` one character, by trying everything.
bool naive_glob(std::string_view pattern, std::string_view text);

}  // namespace nissa::test
