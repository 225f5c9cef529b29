#include "slo/matcher.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "slo/glob.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;

namespace {

Rule rule(SloId slo, Selector selector) { return {slo, Sli{{}, std::move(selector)}}; }

std::vector<SloId> members_of(const Matcher& matcher, const MatchSets& sets, const Identity& identity) {
  const auto members = sets.at(matcher.match(identity)).members();
  return {members.begin(), members.end()};
}

}  // namespace

TEST_CASE("an event belongs to the SLOs whose service, operation and labels all match") {
  const std::vector<Rule> rules{rule(1, {"checkout", "*", {}}), rule(2, {"check*", "GET *", {}}),
                                rule(3, {"checkout", "*", {{"region", "eu-*"}}}), rule(4, {"search", "*", {}}),
                                rule(5, {"*", "*", {{"region", "*"}, {"env", "prod"}}})};
  MatchSets sets;
  const Matcher matcher(rules, sets);
  const std::vector<Label> labels{{"env", "prod"}, {"region", "eu-west"}};
  CHECK(members_of(matcher, sets, {"checkout", "GET /", labels}) == std::vector<SloId>{1, 2, 3, 5});
  CHECK(members_of(matcher, sets, {"checkout", "", {}}) == std::vector<SloId>{1});
  CHECK(members_of(matcher, sets, {"checks", "GET /", {}}) == std::vector<SloId>{2});
  CHECK(matcher.match({"nobody", "", {}}) == empty_match_set);
}

TEST_CASE("a label that stands twice matches by either value") {
  MatchSets sets;
  const std::vector<Rule> rules{rule(1, {"*", "*", {{"k", "a"}, {"k", "b"}}})};
  const Matcher matcher(rules, sets);
  const std::vector<Label> both{{"k", "a"}, {"k", "b"}};
  CHECK(members_of(matcher, sets, {"s", "", both}) == std::vector<SloId>{1});
  CHECK(matcher.match({"s", "", std::span(both).first(1)}) == empty_match_set);
}

TEST_CASE("beyond 64 the first in the file win, and the rest is reported") {
  std::vector<Rule> rules;
  // Ids descend, literal and glob services alternate: neither may decide.
  for (SloId i = 0; i < 100; ++i) rules.push_back(rule(1000 - i, {i % 2 == 0 ? "checkout" : "c*", "*", {}}));
  MatchSets sets;
  const Matcher matcher(rules, sets);
  const MatchSet& set = sets.at(matcher.match({"checkout", "", {}}));
  CHECK(set.dropped() == 36);
  REQUIRE(set.members().size() == 64);
  CHECK(set.members().front() == 937);
  CHECK(set.members().back() == 1000);
}

TEST_CASE("the index finds what a look at every rule finds") {
  auto random = nissa::test::random_for(14);
  const std::vector<std::string> services{"a", "b", "ab", "a*", "*", "?", "*b", "ba"};
  std::vector<Rule> rules;
  for (SloId i = 0; i < 60; ++i) {
    Selector selector{services[random() % services.size()], random() % 2 == 0 ? "*" : "o?", {}};
    if (random() % 3 == 0) selector.labels.push_back({"k", random() % 2 == 0 ? "v*" : "w"});
    rules.push_back(rule(i, selector));
  }
  MatchSets sets;
  const Matcher matcher(rules, sets);
  for (const char* service : {"a", "b", "ab", "ba", "bb", "abb"}) {
    for (const char* operation : {"", "o1", "p"}) {
      for (const char* value : {"", "v1", "w"}) {
        const std::vector<Label> labels{{"k", value}};
        const Identity identity{service, operation, *value == 0 ? std::span<const Label>{} : std::span(labels)};
        std::vector<SloId> expected;
        for (const Rule& one : rules) {
          const Selector& s = one.sli.selector;
          if (!glob_matches(s.service, service) || !glob_matches(s.operation, operation)) continue;
          if (!s.labels.empty() && (identity.labels.empty() || !glob_matches(s.labels[0].glob, value))) continue;
          expected.push_back(one.slo);
        }
        CHECK(members_of(matcher, sets, identity) == expected);
      }
    }
  }
}
