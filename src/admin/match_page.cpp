#include "admin/match_page.hpp"

#include <algorithm>
#include <unordered_map>

#include "admin/definition_text.hpp"
#include "admin/json_text.hpp"
#include "base/json_quoted.hpp"
#include "fold/identity_fault.hpp"

namespace nissa::admin {
namespace {

constexpr const char* example =
    "for example /api/v2/match?service=shop&operation=GET%20/cart&label.region=eu; without parameters: what came and "
    "matched nothing";

std::unexpected<net::HttpResponse> refused(const std::string& message) {
  return std::unexpected(net::http_error(400, "bad_match", message, example));
}

using Names = std::unordered_map<slo::SloId, const slo::Definition*>;

Names definitions_of(const ledger::SloPages& pages) {
  Names names;
  for (const auto& page : pages.pages)
    for (const ledger::SloView& slo : page->slos)
      if (!slo.retired) names.emplace(slo.id, slo.definition.get());
  return names;
}

void append_event(std::string& out, const std::string& service, const std::string& operation,
                  const std::vector<std::pair<std::string, std::string>>& labels) {
  out.append(R"("service":)").append(json_quoted(service));
  out.append(R"(,"operation":)").append(json_quoted(operation)).append(R"(,"labels":{)");
  const char* comma = "";
  for (const auto& [key, value] : labels) {
    out.append(comma).append(json_quoted(key)).append(":").append(json_quoted(value));
    comma = ",";
  }
  out += '}';
}

void append_slos(std::string& out, const std::vector<std::uint32_t>& matching, const slo::Matcher& matcher,
                 const ledger::SloPages& pages) {
  const Names names = definitions_of(pages);
  std::string counted, beyond;
  for (std::size_t i = 0; i < matching.size(); ++i) {
    const auto found = names.find(matcher.rules()[matching[i]].slo);
    if (found == names.end()) continue;  // defined a moment ago, and not on the pages yet
    if (i < slo::max_set_members) {
      counted += counted.empty() ? "\n{" : ",\n{";
      append_definition(counted, *found->second);
      counted += '}';
    } else {
      beyond.append(beyond.empty() ? "" : ",").append(json_quoted(found->second->name));
    }
  }
  out.append(R"("slos":[)").append(counted).append(R"(],"not_counted":[)").append(beyond).append("]");
}

void append_answer(std::string& out, const MatchQuestion& question, const slo::Matcher& matcher,
                   const ledger::SloPages& pages, const fold::Options& limits) {
  std::vector<slo::Label> labels;
  for (const auto& [key, value] : question.labels) labels.push_back({key, value});
  const slo::Identity identity{.service = question.service, .operation = question.operation, .labels = labels};
  out += R"("event":{)";
  append_event(out, question.service, question.operation, question.labels);
  const auto fault = fold::identity_fault(identity, limits);
  out.append(R"(},"rejected":)").append(fault ? json_quoted(name_of(*fault)) : "null").append(",");
  append_slos(out, fault ? std::vector<std::uint32_t>() : matcher.all_matching(identity), matcher, pages);
  out += ",\n";
}

}  // namespace

std::expected<std::optional<MatchQuestion>, net::HttpResponse> match_question(std::string_view query) {
  if (query.empty()) return std::nullopt;
  MatchQuestion question;
  bool has_service = false, has_operation = false;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    const auto key = net::percent_decoded(pair.substr(0, equals), true);
    const auto value = net::percent_decoded(equals == pair.npos ? "" : pair.substr(equals + 1), true);
    if (!key || !value) return refused("a % in the query is not followed by two hexadecimal digits");
    if (*key == "service" && !std::exchange(has_service, true))
      question.service = *value;
    else if (*key == "operation" && !std::exchange(has_operation, true))
      question.operation = *value;
    else if (key->starts_with("label.") && key->size() > 6)
      question.labels.emplace_back(key->substr(6), *value);
    else
      return refused(*key == "service" || *key == "operation" ? *key + " stands there twice"
                                                              : "there is no parameter " + *key);
  }
  if (question.service.empty()) return refused("service is missing: an event without one is never counted");
  return question;
}

std::string match_page(const std::optional<MatchQuestion>& question, const slo::Matcher& matcher,
                       const ledger::SloPages& pages, const fold::Options& limits, const Unmatched& unmatched) {
  std::string out = "{";
  if (question) append_answer(out, *question, matcher, pages, limits);
  out += R"("unmatched":{"events":)";
  append_number(out, unmatched.events);
  out += R"(,"latest":[)";
  const char* comma = "\n";
  for (const fold::UnmatchedIdentity& one : unmatched.latest) {
    out.append(comma).append("{");
    append_event(out, one.service, one.operation, one.labels);
    out += R"(,"learned_ms":)";
    append_number(out, one.learned_ms);
    out += '}';
    comma = ",\n";
  }
  return out + "]}}\n";
}

}  // namespace nissa::admin
