#include "config/slo_words.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/time_types.hpp"
#include "config/quantities.hpp"
#include "slo/glob.hpp"
#include "slo/sli.hpp"
#include "slo/window.hpp"

namespace nissa::config {
namespace {

std::string one_or_like(const std::string& noun, const std::string& plural, const std::string& glob) {
  if (glob == "*") return "any " + noun;
  return slo::is_literal(glob) ? noun + " \"" + glob + '"' : plural + " like \"" + glob + '"';
}

// At most three digits that matter: "43.2", "0.26", "1000".
std::string rounded(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string out(text.data());
  if (decimals > 0) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  return out;
}

std::string outage(double ms) {
  constexpr std::array<std::pair<const char*, double>, 4> units{
      {{"d", 86'400'000}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}}};
  for (const auto& [name, size] : units)
    if (ms >= 2 * size) return rounded(ms / size) + ' ' + name;
  return rounded(ms) + " ms";
}

void add(std::string& list, const std::string& what) { list.append(list.empty() ? "" : ", ").append(what); }

}  // namespace

std::string selector_in_words(const slo::Selector& selector) {
  std::string words = one_or_like("service", "services", selector.service) + ", " +
                      one_or_like("operation", "operations", selector.operation);
  for (const slo::LabelGlob& label : selector.labels) {
    words += ", label " + label.key;
    if (label.glob != "*") words += (slo::is_literal(label.glob) ? " \"" : " like \"") + label.glob + '"';
  }
  return words;
}

std::string criterion_in_words(const slo::Criterion& criterion) {
  std::string good, bad, ignored;
  const std::string threshold = format_duration(criterion.threshold_ns);
  for (const slo::Outcome outcome : slo::all_outcomes) {
    const std::string name(slo::name_of(outcome));
    const auto verdict = [&](std::int64_t duration_ns) { return verdict_of(criterion, outcome, duration_ns); };
    const slo::Verdict fast = verdict(criterion.threshold_ns);
    const slo::Verdict slow = verdict(std::numeric_limits<std::int64_t>::max());
    if (fast != slow) {
      add(good, name + " up to " + threshold);
      add(bad, name + " above " + threshold);
      if (verdict(slo::no_duration) == slo::Verdict::ignored) add(ignored, name + " without a duration");
    } else {
      add(fast == slo::Verdict::good ? good : fast == slo::Verdict::bad ? bad : ignored, name);
    }
  }
  const auto or_none = [](const std::string& list) { return list.empty() ? "none" : list; };
  return "good: " + or_none(good) + "; bad: " + or_none(bad) + "; not counted: " + or_none(ignored);
}

std::string budget_in_words(const slo::Objective& objective, std::int64_t period_ms) {
  const auto parts = static_cast<double>(objective.budget_parts());
  const auto scale = static_cast<double>(slo::objective_scale);
  return outage(static_cast<double>(period_ms) * parts / scale) + " of total outage, or 1 bad event in " +
         rounded(scale / parts) + " (" + rounded(parts / scale * 1e6) + " of a million)";
}

std::int64_t period_grid_ms(std::int64_t period_ms) {
  for (const slo::RingSpec& ring : slo::ring_specs)
    if (period_ms <= ring.held_ms) return ring.period_ms;
  return slo::ring_specs.back().period_ms;
}

std::string period_in_words(std::int64_t period_ms) {
  return format_duration(period_ms * ns_per_ms) + ", its begin moves in steps of " +
         format_duration(period_grid_ms(period_ms) * ns_per_ms);
}

}  // namespace nissa::config
