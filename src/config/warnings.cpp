#include "config/warnings.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

#include "base/time_types.hpp"
#include "config/load_config.hpp"
#include "config/quantities.hpp"
#include "config/slo_words.hpp"
#include "slo/glob.hpp"
#include "slo/matcher.hpp"

namespace nissa::config {
namespace {

// Each new identity is held against every one of them, at 5 to 20 ns: 2 µs beside the 0.8 µs that it costs anyway.
constexpr std::size_t many_globs = 100;

// A text that the glob matches, as short as may be, but not empty.
std::string example_of(const std::string& glob) {
  std::string text;
  for (const char c : glob)
    if (c != '*') text += c == '?' ? 'x' : c;
  return text.empty() ? "x" : text;
}

// An event that the selector matches.
struct Example {
  explicit Example(const slo::Selector& selector)
      : service(example_of(selector.service)), operation(selector.operation) {
    operation = operation.empty() ? "" : example_of(operation);
    for (const slo::LabelGlob& label : selector.labels)
      values.emplace_back(label.glob.empty() ? "" : example_of(label.glob));
    for (std::size_t i = 0; i < values.size(); ++i) labels.push_back({selector.labels[i].key, values[i]});
  }
  std::string service;
  std::string operation;
  std::vector<std::string> values;
  std::vector<slo::Label> labels;
};

std::string why_nothing_matches(const slo::Selector& selector, const fold::Options& limits) {
  if (selector.service.empty()) return "an event without a service is never counted";
  const Example example(selector);
  const auto too_long = [&](const std::string& name) { return name.size() > limits.most_name_bytes; };
  std::set<std::string> keys;
  bool long_name = too_long(example.service) || too_long(example.operation);
  for (std::size_t i = 0; i < example.values.size(); ++i) {
    keys.insert(selector.labels[i].key);
    long_name = long_name || too_long(selector.labels[i].key) || too_long(example.values[i]);
  }
  if (long_name) return "it asks for a name longer than max_name = " + format_bytes(limits.most_name_bytes);
  if (keys.size() > limits.most_labels)
    return "it asks for " + std::to_string(keys.size()) + " labels, and max_labels is " +
           std::to_string(limits.most_labels);
  return {};
}

std::string verdict_warning(const slo::Criterion& criterion) {
  bool good = false, bad = false;
  for (const slo::Outcome outcome : slo::all_outcomes)
    for (const std::int64_t duration_ns : {criterion.threshold_ns, std::numeric_limits<std::int64_t>::max()}) {
      good = good || verdict_of(criterion, outcome, duration_ns) == slo::Verdict::good;
      bad = bad || verdict_of(criterion, outcome, duration_ns) == slo::Verdict::bad;
    }
  if (!good && !bad) return "no event is counted: every outcome is ignored";
  if (!good) return "no event can be good";
  return bad ? "" : "no event can be bad";
}

// A blank at an end is seen by nobody, and no name of an agent has it.
std::string blank_at_an_end(const slo::Selector& selector) {
  const auto blank = [](std::string_view text) { return text.starts_with(' ') || text.ends_with(' '); };
  if (blank(selector.service)) return "service";
  if (blank(selector.operation)) return "operation";
  for (const slo::LabelGlob& label : selector.labels)
    if (blank(label.key) || blank(label.glob)) return "labels";
  return {};
}

// The alerts of deploy/prometheus/nissa.rules.yml, by the label tier: a burn rate above the factor. They fit a period
// of 30 d and a budget that leaves room for such a rate: when all fails, the burn rate is 1 / budget.
struct AlertTier {
  const char* name;
  std::uint64_t factor_tenths;
};
constexpr std::array alert_tiers{AlertTier{"1h", 144}, AlertTier{"6h", 60}, AlertTier{"1d", 30}, AlertTier{"3d", 10}};

std::string silent_tiers(const slo::Objective& objective) {
  std::string tiers;
  for (const AlertTier& tier : alert_tiers)
    if (objective.budget_parts() * tier.factor_tenths >= slo::objective_scale * 10)
      tiers.append(tiers.empty() ? "" : ", ").append(tier.name);
  return tiers;
}

class Warnings {
 public:
  explicit Warnings(const Config& config) : config_(config), matcher_(rules_of(config), sets_) {}

  std::vector<Warning> all() && {
    for (slo_ = 0; slo_ < config_.slos.size(); ++slo_) look_at(config_.slos[slo_]);
    slo_ = Warning::whole_file;
    const auto globs = std::ranges::count_if(
        config_.slos, [](const slo::Definition& one) { return !slo::is_literal(one.sli.selector.service); });
    if (static_cast<std::size_t>(globs) > many_globs)
      warn(std::to_string(globs) +
           " SLOs have a glob for their service: each new combination of service, operation and labels is held against "
           "all of them, at 5 to 20 ns each; name the services where you can");
    return std::move(found_);
  }

 private:
  static std::vector<slo::Rule> rules_of(const Config& config) {
    std::vector<slo::Rule> rules;
    for (const slo::Definition& one : config.slos) rules.push_back({static_cast<slo::SloId>(rules.size()), one.sli});
    return rules;
  }
  void warn(std::string message) { found_.push_back({slo_, std::move(message)}); }

  void look_at(const slo::Definition& slo) {
    if (const auto why = why_nothing_matches(slo.sli.selector, config_.fold); !why.empty())
      warn("nothing can match: " + why);
    else
      look_at_fanout(slo.sli.selector);
    if (const auto verdicts = verdict_warning(slo.sli.criterion); !verdicts.empty()) warn(verdicts);
    Bytes sli;
    append_canonical(slo.sli, sli);
    const auto [same, is_new] = first_of_sli_.emplace(std::move(sli), slo_);
    if (!is_new) warn("counts the same events in the same way as " + config_.slos[same->second].name);
    if (const auto key = blank_at_an_end(slo.sli.selector); !key.empty())
      warn(key + " begins or ends with a blank: a name without it does not match");
    look_at_alerts(slo);
    const std::int64_t grid = period_grid_ms(slo.period_ms);
    if (slo.period_ms % grid != 0)
      warn("the period of " + format_duration(slo.period_ms * ns_per_ms) + " is counted in steps of " +
           format_duration(grid * ns_per_ms) + ", so as up to " +
           format_duration((slo.period_ms / grid + 1) * grid * ns_per_ms));
  }

  void look_at_alerts(const slo::Definition& slo) {
    if (slo.period_ms != slo::default_period_ms)
      warn("the burn-rate alerts of deploy/prometheus/nissa.rules.yml judge SLOs of 30d alone, and this one is of " +
           format_duration(slo.period_ms * ns_per_ms) + ": docs/slo.md has tiers to copy");
    if (const auto tiers = silent_tiers(slo.objective); !tiers.empty())
      warn("of the alerts of deploy/prometheus/nissa.rules.yml those of tier " + tiers +
           " can never fire: even if all fails, the budget of " + slo.objective.to_string() + " % is too large");
  }

  void look_at_fanout(const slo::Selector& selector) {
    const Example example(selector);
    const auto all =
        matcher_.all_matching({.service = example.service, .operation = example.operation, .labels = example.labels});
    const auto here = std::ranges::find(all, slo_);
    if (static_cast<std::size_t>(here - all.begin()) < slo::max_set_members || here == all.end()) return;
    warn("an event of service \"" + example.service + "\", operation \"" + example.operation + "\" belongs to " +
         std::to_string(all.size()) + " SLOs; it is counted for the first " + std::to_string(slo::max_set_members) +
         " of the file, and this one comes after them");
  }

  const Config& config_;
  slo::MatchSets sets_;
  const slo::Matcher matcher_;
  std::size_t slo_ = 0;
  std::map<Bytes, std::size_t> first_of_sli_;
  std::vector<Warning> found_;
};

}  // namespace

std::vector<Warning> warnings_of(const Config& config) { return Warnings(config).all(); }

}  // namespace nissa::config
