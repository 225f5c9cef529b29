#include "admin/definition_text.hpp"

#include "admin/json_text.hpp"
#include "base/json_quoted.hpp"
#include "base/time_types.hpp"
#include "slo/period_text.hpp"

namespace nissa::admin {
namespace {

void append_outcomes(std::string& out, slo::OutcomeMask outcomes) {
  out += '[';
  const char* comma = "";
  for (const slo::Outcome one : slo::all_outcomes) {
    if (!outcomes.has(one)) continue;
    out.append(comma).append(json_quoted(slo::name_of(one)));
    comma = ",";
  }
  out += ']';
}

}  // namespace

void append_sli(std::string& out, const slo::Sli& sli) {
  const bool latency = sli.criterion.kind == slo::SliKind::latency;
  out.append(R"("sli":{"kind":)").append(latency ? R"("latency")" : R"("availability")");
  if (latency) {
    out += R"(,"threshold_ms":)";
    append_number(out, static_cast<double>(sli.criterion.threshold_ns) / ns_per_ms);
    out.append(R"(,"failures":)").append(sli.criterion.failures == slo::Failures::bad ? R"("bad")" : R"("ignored")");
  }
  out += R"(,"good":)";
  append_outcomes(out, sli.criterion.good);
  out += R"(,"ignore":)";
  append_outcomes(out, sli.criterion.ignore);
  out.append(R"(,"service":)").append(json_quoted(sli.selector.service));
  out.append(R"(,"operation":)").append(json_quoted(sli.selector.operation)).append(R"(,"labels":{)");
  const char* comma = "";
  for (const slo::LabelGlob& label : sli.selector.labels) {
    out.append(comma).append(json_quoted(label.key)).append(":").append(json_quoted(label.glob));
    comma = ",";
  }
  out += "}}";
}

void append_definition(std::string& out, const slo::Definition& definition) {
  out.append(R"("name":)").append(json_quoted(definition.name));
  out.append(R"(,"objective":)").append(json_quoted(definition.objective.to_string() + " %"));
  out += R"(,"objective_ratio":)";
  append_number(out, definition.objective.ratio());
  out.append(R"(,"period":)").append(json_quoted(slo::period_text(definition.period_ms))).append(",");
  append_sli(out, definition.sli);
}

}  // namespace nissa::admin
