// Which SLOs an identity belongs to. Asked once for each new identity (fold remembers the answer).
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "slo/identity.hpp"
#include "slo/match_set.hpp"
#include "slo/sli.hpp"

namespace nissa::slo {

struct Rule {
  SloId slo = 0;
  Sli sli;
};

// Immutable once made; match() may be called by any thread. A reload makes a new one over the same MatchSets.
// Cost of a match: the rules that name this service literally, and all whose service is a glob.
class Matcher {
 public:
  // Rules in the order of the file: beyond 64 matches the first win, the others are counted in MatchSet::dropped().
  Matcher(std::span<const Rule> rules, MatchSets& sets);
  // empty_match_set: no SLO. no_match_set: the registry is full, what bears this identity cannot be counted.
  MatchSetId match(const Identity& identity) const;

  // For looking: nothing is interned. The rules that fit, as they stand in rules(): in the order of the file, also
  // those beyond the first max_set_members.
  std::vector<std::uint32_t> all_matching(const Identity& identity) const;
  std::span<const Rule> rules() const { return rules_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::vector<Rule> rules_;
  std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>>
      by_service_;                      // → rules_, ascending
  std::vector<std::uint32_t> by_glob_;  // → rules_, ascending
  MatchSets& sets_;
};

}  // namespace nissa::slo
