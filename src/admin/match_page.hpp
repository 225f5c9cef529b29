// Which SLOs an event would belong to, and what came that belongs to none, as JSON: what /api/v2/match shows. Pure;
// nothing is interned, so asking changes nothing.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fold/options.hpp"
#include "fold/unmatched_identities.hpp"
#include "ledger/ledger_pages.hpp"
#include "net/http_types.hpp"
#include "slo/matcher.hpp"

namespace nissa::admin {

struct MatchQuestion {
  std::string service;
  std::string operation;
  std::vector<std::pair<std::string, std::string>> labels;
};

// `service=…&operation=…&label.KEY=VALUE`, each decoded; a label's key may stand twice. Nothing: only what is unmatched
// is asked for. An answer: what is wrong, 400.
std::expected<std::optional<MatchQuestion>, net::HttpResponse> match_question(std::string_view query);

// What is known of events that belong to no SLO.
struct Unmatched {
  std::uint64_t events = 0;  // counted batches' events so far
  std::vector<fold::UnmatchedIdentity> latest;
};

// {"event":{…},"rejected":null,"slos":[…],"not_counted":[],"unmatched":{"events","latest":[…]}}; without a question
// only `unmatched`. `slos` are in the order of the file, each with its rule of good; `not_counted` names those beyond
// the first 64; `rejected` is the fault for which the event would not be counted at all. `matcher` is the fold's own.
std::string match_page(const std::optional<MatchQuestion>& question, const slo::Matcher& matcher,
                       const ledger::SloPages& pages, const fold::Options& limits, const Unmatched& unmatched);

}  // namespace nissa::admin
