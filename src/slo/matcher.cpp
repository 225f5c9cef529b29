#include "slo/matcher.hpp"

#include <algorithm>

#include "slo/glob.hpp"

namespace nissa::slo {
namespace {

bool has_label(const Identity& identity, const LabelGlob& wanted) {
  return std::ranges::any_of(identity.labels, [&](const Label& label) {
    return label.key == wanted.key && glob_matches(wanted.glob, label.value);
  });
}

// The service is matched by whoever chose this rule.
bool rest_matches(const Selector& selector, const Identity& identity) {
  return glob_matches(selector.operation, identity.operation) &&
         std::ranges::all_of(selector.labels, [&](const LabelGlob& wanted) { return has_label(identity, wanted); });
}

}  // namespace

Matcher::Matcher(std::span<const Rule> rules, MatchSets& sets) : rules_(rules.begin(), rules.end()), sets_(sets) {
  for (std::uint32_t i = 0; i < rules_.size(); ++i) {
    const std::string& service = rules_[i].sli.selector.service;
    (is_literal(service) ? by_service_[service] : by_glob_).push_back(i);
  }
}

std::vector<std::uint32_t> Matcher::all_matching(const Identity& identity) const {
  std::vector<std::uint32_t> matching;
  if (const auto named = by_service_.find(identity.service); named != by_service_.end()) {
    for (const std::uint32_t i : named->second) {
      if (rest_matches(rules_[i].sli.selector, identity)) matching.push_back(i);
    }
  }
  for (const std::uint32_t i : by_glob_) {
    const Selector& selector = rules_[i].sli.selector;
    if (glob_matches(selector.service, identity.service) && rest_matches(selector, identity)) matching.push_back(i);
  }
  std::ranges::sort(matching);  // the order of the file
  return matching;
}

MatchSetId Matcher::match(const Identity& identity) const {
  const std::vector<std::uint32_t> matching = all_matching(identity);
  const std::size_t kept = std::min(matching.size(), max_set_members);
  std::vector<Member> members;
  members.reserve(kept);
  for (std::size_t i = 0; i < kept; ++i) {
    const Rule& rule = rules_[matching[i]];
    members.push_back(Member{rule.slo, rule.sli.criterion});
  }
  return sets_.intern(std::move(members), static_cast<std::uint32_t>(matching.size() - kept));
}

}  // namespace nissa::slo
