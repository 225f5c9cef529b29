#include "admin/slo_page.hpp"

#include <doctest/doctest.h>

#include "support/slo_pages.hpp"

using namespace nissa;
using namespace nissa::admin;
using test::counted;
using test::pages_of;
using test::slo_named;

namespace {

std::string written(const ledger::SloView& slo) {
  std::string out;
  append_slo(out, slo, test::page_time_ms);
  return out;
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("an SLO says what it is, how it fares, and in which windows") {
  auto slo = counted(slo_named("checkout"), {1998, 2000});
  slo.id = 7;
  slo.coverage[slo::window_30d].unmeasured_ms = slo.coverage[slo::window_30d].length_ms / 2;
  const std::string text = written(slo);
  CHECK(text.starts_with(R"({"name":"checkout","id":7,"objective":"99.9 %","objective_ratio":0.999,"period":"30d",)"
                         R"("state":"healthy","as_of_ms":1749995200000,"measured_since_ms":1747403200000,"sli":)"
                         R"({"kind":"availability","good":["OK","CLIENT_ERROR"],"ignore":["CANCELLED"],)"
                         R"("service":"shop","operation":"*","labels":{}},"windows":[)"));
  CHECK(has(text, R"({"window":"5m","good":1998,"total":2000,"error_ratio":0.001,"burn_rate":1,"coverage":1})"));
  CHECK(has(text, R"({"window":"30d","good":1998,"total":2000,"error_ratio":0.001,"burn_rate":1,"coverage":0.5}])"));
  CHECK(has(text, R"("budget":{"remaining":0,"remaining_projected":0,"exhausted":false,"good":1998,"total":2000})"));
  CHECK(text.ends_with(R"("lifetime":{"good":1998,"total":2000}})"));
}

TEST_CASE("without events ratios are null, and the state says no_data") {
  const std::string text = written(slo_named("idle"));
  CHECK(has(text, R"("state":"no_data")"));
  CHECK(has(text, R"({"window":"1h","good":0,"total":0,"error_ratio":null,"burn_rate":null,"coverage":1})"));
  CHECK(has(text, R"("remaining":null,"remaining_projected":null,"exhausted":false)"));
}

TEST_CASE("an SLO that never counted has no beginning") {
  auto slo = slo_named("new");
  slo.born_ms = slo::not_born;
  CHECK(has(written(slo), R"("measured_since_ms":null)"));
}

TEST_CASE("budgets are signed and counts are written to the last digit") {
  const std::string text = written(counted(slo_named("down", "99"), {0, 18'014'398'509'481'985}));
  CHECK(has(text, R"("state":"exhausted")"));
  CHECK(has(text, R"("remaining":-99,)"));
  CHECK(has(text, R"("exhausted":true)"));
  CHECK(has(text, R"("total":18014398509481985)"));
}

TEST_CASE("a latency SLI shows its threshold, failures and selector") {
  auto slo = slo_named("fast");
  slo::Definition definition = *slo.definition;
  definition.sli.criterion.kind = slo::SliKind::latency;
  definition.sli.criterion.threshold_ns = 1'500'000;
  definition.sli.criterion.failures = slo::Failures::bad;
  definition.sli.selector.labels = {{"region", "eu-*"}, {"a\"b", "?"}};
  definition.period_ms = 36 * slo::hour_ms;
  slo.definition = std::make_shared<const slo::Definition>(definition);
  const std::string text = written(slo);
  CHECK(has(text, R"("sli":{"kind":"latency","threshold_ms":1.5,"failures":"bad",)"));
  CHECK(has(text, R"("labels":{"region":"eu-*","a\"b":"?"})"));
  CHECK(has(text, R"("period":"36h")"));
}

TEST_CASE("by name the SLO that counts now is found, else the one retired last, else none") {
  auto old_one = slo_named("checkout");
  old_one.retired = true;
  auto older_search = slo_named("search");
  older_search.retired = true;
  const auto pages = pages_of({old_one, slo_named("checkout"), older_search, older_search});
  const ledger::SloPage* page = nullptr;
  REQUIRE(find_slo(*pages, "checkout", &page) != nullptr);
  CHECK(find_slo(*pages, "checkout", nullptr)->id == 1);
  CHECK(page == pages->pages[0].get());
  CHECK(find_slo(*pages, "search", nullptr)->id == 3);
  CHECK(has(written(*find_slo(*pages, "search", nullptr)), R"("retired":true)"));
  CHECK(find_slo(*pages, "Checkout", nullptr) == nullptr);
}
