// Every metric that /metrics can show: the public interface of dashboards and rules. docs/metrics.md has a row for
// each; the tidy test compares.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace nissa::selfmetrics {

enum class Kind : std::uint8_t { counter, gauge, histogram };

struct Metric {
  std::string_view name;
  Kind kind;
  std::string_view help;
};

// Of Nissa itself: written by exposition.
std::span<const Metric> own_metrics();
// A family for each SLO: written by slo_families.
std::span<const Metric> slo_metrics();

const Metric& metric_named(std::string_view name);

}  // namespace nissa::selfmetrics
