#include "ledger/definition_changes.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace nissa::ledger {
namespace {

// Labels mean the same in any order.
std::vector<slo::LabelGlob> sorted(std::vector<slo::LabelGlob> labels) {
  std::ranges::sort(labels);
  return labels;
}

std::string changed_keys(const slo::Definition& was, const slo::Definition& is) {
  std::string keys;
  const auto note = [&](const char* key, bool changed) {
    if (changed) keys.append(keys.empty() ? "" : ", ").append(key);
  };
  const slo::Selector &from = was.sli.selector, &to = is.sli.selector;
  const slo::Criterion &old_rule = was.sli.criterion, &new_rule = is.sli.criterion;
  note("name", was.name != is.name);
  note("service", from.service != to.service);
  note("operation", from.operation != to.operation);
  note("labels", sorted(from.labels) != sorted(to.labels));
  note("sli", old_rule.kind != new_rule.kind);
  note("threshold", old_rule.threshold_ns != new_rule.threshold_ns);
  note("failures", old_rule.failures != new_rule.failures);
  note("good", old_rule.good != new_rule.good);
  note("ignore", old_rule.ignore != new_rule.ignore);
  return keys;
}

// The SLOs that a plan retires, each to be taken once.
class Retiring {
 public:
  Retiring(const Definitions& definitions, const DefinitionPlan& plan) {
    for (const slo::SloId id : plan.retired) {
      const DefinedSlo& slo = *definitions.find(id);
      by_name_.emplace(slo.definition->name, &slo);
      by_sli_.emplace(slo.sli_hash, &slo);
    }
  }
  const slo::Definition* take_for(const slo::Definition& definition) {
    const auto same_name = by_name_.find(definition.name);
    if (same_name != by_name_.end()) return take(same_name->second);
    const auto [first, last] = by_sli_.equal_range(identity_hash(definition.sli));
    for (auto one = first; one != last; ++one)
      if (!taken_.contains(one->second)) return take(one->second);
    return nullptr;
  }
  bool taken(const DefinedSlo& slo) const { return taken_.contains(&slo); }

 private:
  const slo::Definition* take(const DefinedSlo* slo) {
    return taken_.insert(slo).second ? slo->definition.get() : nullptr;
  }
  std::map<std::string_view, const DefinedSlo*> by_name_;
  std::multimap<std::uint64_t, const DefinedSlo*> by_sli_;
  std::set<const DefinedSlo*> taken_;
};

}  // namespace

std::vector<HistoryChange> history_changes(const Definitions& definitions, const DefinitionPlan& plan) {
  using What = HistoryChange::What;
  std::vector<HistoryChange> changes;
  Retiring retiring(definitions, plan);
  for (const Define& define : plan.defines) {
    const DefinedSlo* known = definitions.find(define.id);
    if (known != nullptr && !known->retired) continue;  // a new objective or period: the history goes on
    HistoryChange change{known == nullptr ? What::begins : What::resumes, define.definition.name, {}, {}};
    if (const slo::Definition* was = retiring.take_for(define.definition)) {
      change.instead_of = was->name;
      change.changed = changed_keys(*was, define.definition);
    }
    changes.push_back(std::move(change));
  }
  for (const slo::SloId id : plan.retired) {
    const DefinedSlo& slo = *definitions.find(id);
    if (!retiring.taken(slo)) changes.push_back({What::ends, slo.definition->name, {}, {}});
  }
  return changes;
}

}  // namespace nissa::ledger
