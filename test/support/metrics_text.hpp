// Prometheus' text format read back, strictly: for tests of whoever writes it.
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace nissa::test {

struct MetricsText {
  struct Family {
    std::string help;
    std::string type;
    std::map<std::string, double> samples;  // by the line up to the value: name{label="value",...}
  };
  std::map<std::string, Family> families;
  std::vector<std::string> problems;  // what a strict reader would refuse; none: the text is well-formed

  bool has(const std::string& sample) const;
  double value(const std::string& sample) const;  // NaN if it is not there
  // Of all samples whose line has each of `parts` in it.
  double sum(const std::string& family, const std::vector<std::string>& parts = {}) const;
};

MetricsText read_metrics(std::string_view text);

}  // namespace nissa::test
