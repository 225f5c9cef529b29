// An SLO as it is configured. What changes here without a change of `sli` keeps its history.
#pragma once
#include <cstdint>
#include <string>

#include "slo/objective.hpp"
#include "slo/sli.hpp"

namespace nissa::slo {

inline constexpr std::int64_t default_period_ms = 30LL * 24 * 3600 * 1000;

struct Definition {
  std::string name;     // unique in the file
  std::string service;  // the label of its metrics and alerts; the selector decides what is counted
  Sli sli;
  Objective objective;
  std::int64_t period_ms = default_period_ms;  // rolling; at most 30 d
  bool operator==(const Definition&) const = default;
};

}  // namespace nissa::slo
