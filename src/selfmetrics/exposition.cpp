#include "selfmetrics/exposition.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <sstream>

namespace nissa::selfmetrics {
namespace {

prometheus::MetricType type_of(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return prometheus::MetricType::Counter;
    case Kind::gauge:
      return prometheus::MetricType::Gauge;
    case Kind::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

void fill_histogram(const Sample& sample, prometheus::ClientMetric::Histogram& histogram) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < sample.buckets.size(); ++i) {
    sum += sample.buckets[i];
    const bool last = i == LatencyHistogram::bounds_ns.size();
    const double bound =
        last ? std::numeric_limits<double>::infinity() : static_cast<double>(LatencyHistogram::bounds_ns[i]) / 1e9;
    histogram.bucket.push_back({sum, bound});
  }
  histogram.sample_count = sum;
  histogram.sample_sum = sample.value;
}

prometheus::ClientMetric metric_of(Kind kind, const Sample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  if (kind == Kind::counter) metric.counter.value = sample.value;
  if (kind == Kind::gauge) metric.gauge.value = sample.value;
  if (kind == Kind::histogram) fill_histogram(sample, metric.histogram);
  return metric;
}

}  // namespace

void expose(const std::vector<Family>& families, std::string& page) {
  std::vector<prometheus::MetricFamily> all;
  for (const Family& family : families) {
    if (family.samples.empty()) continue;
    prometheus::MetricFamily one;
    one.name = family.metric->name;
    one.help = family.metric->help;
    one.type = type_of(family.metric->kind);
    for (const Sample& sample : family.samples) one.metric.push_back(metric_of(family.metric->kind, sample));
    all.push_back(std::move(one));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, all);
  page += out.view();
}

}  // namespace nissa::selfmetrics
