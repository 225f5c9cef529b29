#include "config/slo_section.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/nearest_name.hpp"
#include "base/time_types.hpp"

namespace nissa::config {
namespace {

constexpr std::size_t longest_name = 256;
constexpr std::int64_t day_ms = 86'400'000;

bool is_metric_safe(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '/' || c == ':';
  });
}

void read_name(TomlTable& table, std::string& name) {
  if (!table.text("name", name)) {
    if (!table.has("name")) table.problem("name", "is missing; every SLO needs a name of its own");
    return;
  }
  if (name.size() > longest_name || !is_metric_safe(name))
    return table.problem("name", "expected 1 to 256 letters, digits and - _ . / :");
  table.call(name);
}

void read_outcomes(TomlTable& table, std::string_view key, slo::OutcomeMask& mask) {
  std::vector<std::string> names;
  if (!table.texts(key, names)) return;
  mask = {};
  std::vector<std::string_view> known;
  for (const slo::Outcome outcome : slo::all_outcomes) known.push_back(slo::name_of(outcome));
  for (const std::string& name : names) {
    if (const auto outcome = slo::outcome_named(name)) {
      mask.add(*outcome);
      continue;
    }
    std::string message = '"' + name + "\" is no outcome; expected OK, ERROR, TIMEOUT, CLIENT_ERROR or CANCELLED";
    if (const auto near = nearest_name(name, known); !near.empty())
      message += "; did you mean " + std::string(near) + '?';
    table.problem(key, message);
  }
}

void read_criterion(TomlTable& table, slo::Criterion& criterion) {
  std::size_t kind = 0;
  table.choice("sli", kind, {"availability", "latency"});
  criterion.kind = static_cast<slo::SliKind>(kind);
  if (!table.has("sli")) table.problem("sli", "is missing; expected \"availability\" or \"latency\"");
  read_outcomes(table, "good", criterion.good);
  read_outcomes(table, "ignore", criterion.ignore);
  std::size_t failures = 0;
  const bool failures_set = table.choice("failures", failures, {"ignored", "bad"});
  criterion.failures = static_cast<slo::Failures>(failures);
  const bool threshold_set = table.duration_ns("threshold", criterion.threshold_ns, 1'000, 3'600 * ns_per_s);
  if (criterion.kind == slo::SliKind::latency) {
    if (!table.has("threshold"))
      table.problem("threshold", "is missing; a latency SLI is good up to a duration, for example \"300ms\"");
    if (table.has("good") && criterion.failures == slo::Failures::ignored)
      table.problem("good",
                    "has no effect here: failures is \"ignored\", so only OK is counted; leave it out, or say "
                    "failures = \"bad\"");
  } else {
    if (threshold_set) table.problem("threshold", "belongs to sli = \"latency\" only");
    if (failures_set) table.problem("failures", "belongs to sli = \"latency\" only");
    criterion.threshold_ns = 0;
    criterion.failures = slo::Failures::ignored;
  }
}

void read_selector(TomlTable& table, slo::Selector& selector) {
  table.text("service", selector.service);
  table.text("operation", selector.operation);
  std::vector<std::pair<std::string, std::string>> labels;
  table.entries("labels", labels);
  for (auto& [key, glob] : labels) selector.labels.push_back({std::move(key), std::move(glob)});
}

// Elsewhere objectives are ratios: 0.999 would be taken for a thousandth of what is meant, and nothing would be wrong.
std::string without_percent(const std::string& text) {
  std::string message = '"' + text + "\" has no % sign; expected a percentage, for example \"99.9 %\"";
  const auto percent = slo::Objective::parse(text);
  if (!percent) return message;
  constexpr std::uint64_t one_percent = slo::objective_scale / 100;
  const auto meant = percent->parts() < one_percent ? slo::Objective::from_parts(percent->parts() * 100) : percent;
  return message + "; did you mean \"" + meant->to_string() + " %\"?";
}

void read_objective(TomlTable& table, slo::Objective& objective) {
  std::string text;
  if (!table.text("objective", text)) {
    if (!table.has("objective")) table.problem("objective", "is missing; expected for example \"99.9 %\"");
    return;
  }
  if (!text.contains('%')) return table.problem("objective", without_percent(text));
  if (auto parsed = slo::Objective::parse(text))
    objective = *parsed;
  else
    table.problem("objective", parsed.error().message);
}

slo::Definition read_slo(TomlTable& table) {
  slo::Definition definition;
  read_name(table, definition.name);
  read_selector(table, definition.sli.selector);
  read_criterion(table, definition.sli.criterion);
  read_objective(table, definition.objective);
  table.duration_ms("period", definition.period_ms, day_ms, 30 * day_ms);
  definition.service = definition.sli.selector.service;
  table.refuse_unknown_keys();
  return definition;
}

}  // namespace

std::vector<slo::Definition> read_slos(TomlTable& file) {
  std::vector<slo::Definition> all;
  std::unordered_set<std::string> names;
  for (TomlTable& table : file.sections("slo")) {
    all.push_back(read_slo(table));
    if (!all.back().name.empty() && !names.insert(all.back().name).second)
      table.problem("name", '"' + all.back().name + "\" is the name of an earlier SLO");
    if (all.size() == most_slos + 1) table.problem("name", "more than 10000 SLOs; split them over several servers");
  }
  if (all.empty()) file.problem("slo", "no [[slo]] is configured, so nothing would be counted");
  return all;
}

}  // namespace nissa::config
