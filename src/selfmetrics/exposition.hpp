// Families of samples → Prometheus' text format. The only user of prometheus-cpp, behind exposition.cpp.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.hpp"
#include "selfmetrics/catalogue.hpp"

namespace nissa::selfmetrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Sample {
  Labels labels;
  double value = 0;
  std::vector<std::uint64_t> buckets;  // histograms: counts by LatencyHistogram's bounds, not cumulative; value = sum
};

struct Family {
  explicit Family(std::string_view name) : metric(&metric_named(name)) {}
  Family& add(Labels labels, double value) {
    samples.push_back({std::move(labels), value, {}});
    return *this;
  }
  template <class Histogram>
    requires requires { Histogram::bounds_ns; }
  Family& add(Labels labels, const Histogram& histogram) {
    std::vector<std::uint64_t> buckets(Histogram::bounds_ns.size() + 1);
    for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] = histogram.count(i);
    samples.push_back({std::move(labels), histogram.sum_seconds(), std::move(buckets)});
    return *this;
  }
  const Metric* metric;
  std::vector<Sample> samples;
};

// Appended to `page`; families without samples are left out.
void expose(const std::vector<Family>& families, std::string& page);

}  // namespace nissa::selfmetrics
