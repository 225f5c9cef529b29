#include "admin/slo_page.hpp"

#include "admin/definition_text.hpp"
#include "admin/json_text.hpp"
#include "net/http_types.hpp"
#include "slo/budget.hpp"
#include "slo/burn_rate.hpp"
#include "slo/period_text.hpp"
#include "slo/window.hpp"

namespace nissa::admin {
namespace {

using ledger::SloView;
using net::json_quoted;

void append_counts(std::string& out, const slo::Counts& counts) {
  out += R"("good":)";
  append_number(out, counts.good);
  out += R"(,"total":)";
  append_number(out, counts.total);
}

void append_windows(std::string& out, const SloView& slo) {
  out += R"("windows":[)";
  for (std::size_t w = 0; w < slo::window_count; ++w) {
    out.append(w == 0 ? "" : ",").append(R"({"window":)").append(json_quoted(slo::windows[w].name)).append(",");
    append_counts(out, slo.windows[w]);
    out += R"(,"error_ratio":)";
    append_number(out, slo::error_ratio(slo.windows[w]));
    out += R"(,"burn_rate":)";
    append_number(out, slo::burn_rate(slo.windows[w], slo.definition->objective));
    out += R"(,"coverage":)";
    append_number(out, slo.coverage[w].ratio());
    out += '}';
  }
  out += ']';
}

void append_budget(std::string& out, const SloView& slo) {
  const slo::Objective& objective = slo.definition->objective;
  out += R"("budget":{"remaining":)";
  append_number(out, slo::budget_remaining(slo.period, objective));
  out += R"(,"remaining_projected":)";
  append_number(out, slo::budget_remaining_projected(slo.period, objective, slo.period_coverage.measured_ms(),
                                                     slo.period_coverage.length_ms));
  out.append(R"(,"exhausted":)").append(json_bool(slo::exhausted(slo.period, objective))).append(",");
  append_counts(out, slo.period);
  out += '}';
}

}  // namespace

void append_slo(std::string& out, const SloView& slo, UnixMs as_of_ms) {
  const slo::Definition& definition = *slo.definition;
  out.append(R"({"name":)").append(json_quoted(definition.name)).append(R"(,"id":)");
  append_number(out, std::uint64_t{slo.id});
  out.append(R"(,"objective":)").append(json_quoted(definition.objective.to_string() + " %"));
  out += R"(,"objective_ratio":)";
  append_number(out, definition.objective.ratio());
  out.append(R"(,"period":)").append(json_quoted(slo::period_text(definition.period_ms)));
  out.append(R"(,"state":)").append(json_quoted(slo::name_of(slo.state)));
  if (slo.retired) out += R"(,"retired":true)";
  if (slo.quarantined) out += R"(,"quarantined":true)";
  out += R"(,"as_of_ms":)";
  append_number(out, as_of_ms);
  out += R"(,"measured_since_ms":)";
  if (slo.born_ms == slo::not_born)
    out += "null";
  else
    append_number(out, slo.born_ms);
  out += ',';
  append_sli(out, definition.sli);
  out += ',';
  append_windows(out, slo);
  out += ',';
  append_budget(out, slo);
  out += R"(,"lifetime":{)";
  append_counts(out, slo.lifetime);
  out += "}}";
}

const SloView* find_slo(const ledger::SloPages& pages, std::string_view name, const ledger::SloPage** page) {
  const SloView* found = nullptr;
  for (const auto& one : pages.pages)
    for (const SloView& slo : one->slos) {
      if (slo.definition->name != name) continue;
      found = &slo;
      if (page != nullptr) *page = one.get();
      if (!slo.retired) return found;
    }
  return found;
}

}  // namespace nissa::admin
