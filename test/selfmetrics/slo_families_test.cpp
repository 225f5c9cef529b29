#include "selfmetrics/slo_families.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "selfmetrics/catalogue.hpp"
#include "support/metrics_text.hpp"
#include "support/slo_pages.hpp"

using namespace nissa;
using namespace nissa::selfmetrics;
using test::counted;
using test::pages_of;
using test::slo_named;

namespace {

std::string written(std::vector<ledger::SloView> slos, bool all_windows = false) {
  SloFamilies families(pages_of(std::move(slos)), all_windows);
  std::string text;
  while (families.write_next(text)) continue;
  return text;
}

std::size_t lines_in(const std::string& text) {
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) lines += text[at] == '#' ? 0 : 1;
  return lines;
}

}  // namespace

TEST_CASE("an SLO is fourteen lines, each family with its help and type") {
  auto view = counted(slo_named("checkout"), {999'000, 1'000'000});
  view.windows[slo::window_5m] = {50, 100};
  view.coverage[slo::window_30d].unmeasured_ms = view.coverage[slo::window_30d].length_ms / 4;
  CHECK(written({view}) ==
        R"(# HELP nissa_slo_events_total Events counted for the SLO in its lifetime.
# TYPE nissa_slo_events_total counter
nissa_slo_events_total{slo="checkout",verdict="good"} 999000
nissa_slo_events_total{slo="checkout",verdict="bad"} 1000
# HELP nissa_slo_burn_rate Error ratio over the window divided by the error budget; absent without events.
# TYPE nissa_slo_burn_rate gauge
nissa_slo_burn_rate{slo="checkout",window="5m"} 500
nissa_slo_burn_rate{slo="checkout",window="30m"} 1
nissa_slo_burn_rate{slo="checkout",window="1h"} 1
nissa_slo_burn_rate{slo="checkout",window="2h"} 1
nissa_slo_burn_rate{slo="checkout",window="6h"} 1
nissa_slo_burn_rate{slo="checkout",window="1d"} 1
nissa_slo_burn_rate{slo="checkout",window="3d"} 1
nissa_slo_burn_rate{slo="checkout",window="30d"} 1
# HELP nissa_slo_error_budget_remaining_ratio Part of the error budget left over the period; negative when overspent, absent without events.
# TYPE nissa_slo_error_budget_remaining_ratio gauge
nissa_slo_error_budget_remaining_ratio{slo="checkout"} 0
# HELP nissa_slo_objective_ratio The objective.
# TYPE nissa_slo_objective_ratio gauge
nissa_slo_objective_ratio{slo="checkout"} 0.999
# HELP nissa_slo_coverage_ratio Part of the window in which the SLO was measured.
# TYPE nissa_slo_coverage_ratio gauge
nissa_slo_coverage_ratio{slo="checkout",window="30d"} 0.75
# HELP nissa_slo_info 1; what the SLO counts, its globs and its period are labels, to join with.
# TYPE nissa_slo_info gauge
nissa_slo_info{slo="checkout",sli="availability",service="shop",operation="*",period="30d"} 1
)");
}

TEST_CASE("the burn rate and the budget of nothing are no lines") {
  const std::string text = written({slo_named("idle")});
  const auto read = test::read_metrics(text);
  CHECK(read.problems.empty());
  CHECK(read.families.at("nissa_slo_burn_rate").samples.empty());
  CHECK(read.families.at("nissa_slo_error_budget_remaining_ratio").samples.empty());
  CHECK(read.value("nissa_slo_events_total{slo=\"idle\",verdict=\"good\"}") == 0);
  CHECK(lines_in(text) == 5);
}

TEST_CASE("a budget is signed and burn rates are not clamped") {
  const auto read = test::read_metrics(written({counted(slo_named("down", "99"), {0, 7})}));
  CHECK(read.value("nissa_slo_error_budget_remaining_ratio{slo=\"down\"}") == -99);
  CHECK(read.value("nissa_slo_burn_rate{slo=\"down\",window=\"3d\"}") == 100);
}

TEST_CASE("counts beyond what a double holds are written to the last digit") {
  const slo::Counts many{18'014'398'509'481'985, 18'014'398'509'481'986};
  CHECK(written({counted(slo_named("many"), many)}).find("verdict=\"good\"} 18014398509481985\n") != std::string::npos);
}

TEST_CASE("names are escaped as the text format wants it") {
  const std::string text = written({slo_named("a\\b\"c\nd{e}, f=ü")});
  CHECK(text.find("nissa_slo_objective_ratio{slo=\"a\\\\b\\\"c\\nd{e}, f=ü\"} 0.999\n") != std::string::npos);
  CHECK(test::read_metrics(text).problems.empty());
}

TEST_CASE("what an SLO counts stands in the labels of its info, escaped like its name") {
  ledger::SloView view = slo_named("fast");
  slo::Definition definition = *view.definition;
  definition.sli.criterion.kind = slo::SliKind::latency;
  definition.sli.selector.service = "a\\b\"c\nd";
  definition.sli.selector.operation = "GET /\"x\"*";
  definition.period_ms = 36 * slo::hour_ms;
  view.definition = std::make_shared<const slo::Definition>(definition);
  const std::string text = written({view});
  CHECK(
      text.ends_with("\nnissa_slo_info{slo=\"fast\",sli=\"latency\",service=\"a\\\\b\\\"c\\nd\","
                     "operation=\"GET /\\\"x\\\"*\",period=\"36h\"} 1\n"));
  CHECK(test::read_metrics(text).problems.empty());
}

TEST_CASE("a retired SLO is not shown, also where another bears its name now") {
  auto retired = counted(slo_named("checkout"), {1, 2});
  retired.retired = true;
  const auto read = test::read_metrics(written({retired, counted(slo_named("checkout"), {5, 5}), slo_named("other")}));
  CHECK(read.problems.empty());
  CHECK(read.value("nissa_slo_events_total{slo=\"checkout\",verdict=\"good\"}") == 5);
  CHECK(read.has("nissa_slo_objective_ratio{slo=\"other\"}"));
}

TEST_CASE("on request coverage is shown of all eight windows") {
  const auto read = test::read_metrics(written({slo_named("a")}, true));
  CHECK(read.families.at("nissa_slo_coverage_ratio").samples.size() == 8);
  CHECK(read.value("nissa_slo_coverage_ratio{slo=\"a\",window=\"5m\"}") == 1);
}

TEST_CASE("many pages are one family each, in pieces of a page") {
  std::vector<ledger::SloView> slos;
  for (int i = 0; i < 600; ++i) slos.push_back(counted(slo_named("slo-" + std::to_string(i)), {9, 10}));
  slos[300].retired = true;
  SloFamilies families(pages_of(slos), false);
  std::string text;
  int pieces = 1;
  for (std::size_t before = 0; families.write_next(text); before = text.size()) {
    ++pieces;
    CHECK(lines_in(text.substr(before)) <= 256 * 8);
  }
  CHECK(pieces >= 3 * 6);
  const auto read = test::read_metrics(text);
  CHECK(read.problems.empty());
  CHECK(lines_in(text) == 599 * 14);
  CHECK(read.sum("nissa_slo_events_total", {"verdict=\"bad\""}) == 599);
  CHECK(read.has("nissa_slo_burn_rate{slo=\"slo-599\",window=\"30d\"}"));
}

TEST_CASE("the families are those of the catalogue, also without any SLO") {
  const auto read = test::read_metrics(written({}));
  CHECK(read.problems.empty());
  CHECK(read.families.size() == slo_metrics().size());
  for (const Metric& metric : slo_metrics()) {
    REQUIRE(read.families.contains(std::string(metric.name)));
    CHECK(read.families.at(std::string(metric.name)).help == metric.help);
  }
}
