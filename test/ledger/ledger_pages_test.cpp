#include "ledger/ledger_pages.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nissa;
using namespace nissa::ledger;

namespace {

constexpr UnixMs noon = 1'700'000'000'000 / 3'600'000 * 3'600'000;

struct Fixture {
  Ledger ledger{LedgerOptions{.state_id = 1}};
  LedgerPages pages;

  void apply(UnixMs now, std::vector<BucketCount> counts, std::vector<Define> defines = {},
             std::vector<slo::SloId> retired = {}) {
    const Stamp stamp = ledger.next_stamp(now);
    ledger.apply({.lsn = stamp.lsn,
                  .ledger_ms = stamp.ledger_ms,
                  .running_ms = stamp.running_ms,
                  .counts = std::move(counts),
                  .defines = std::move(defines),
                  .retired = std::move(retired)});
  }
  void define(slo::SloId count) {
    std::vector<Define> defines;
    for (slo::SloId id = 0; id < count; ++id) {
      defines.push_back({id, {}});
      defines.back().definition.name = "slo-" + std::to_string(id);
    }
    apply(noon, {}, std::move(defines));
  }
  std::shared_ptr<const SloPages> refreshed() {
    while (!pages.refresh_one(ledger)) continue;
    return pages.current();
  }
};

}  // namespace

TEST_CASE("before the first pass there is nothing, and without SLOs still nothing") {
  Fixture fixture;
  CHECK(fixture.pages.current()->pages.empty());
  CHECK(fixture.refreshed()->pages.empty());
}

TEST_CASE("a view says what was counted, since when, and how much of each window was measured") {
  Fixture fixture;
  fixture.define(300);
  fixture.apply(noon + 1'000, {{299, bucket_of(noon), 7, 10}});
  const auto pages = fixture.refreshed();
  REQUIRE(pages->pages.size() == 2);
  CHECK(pages->pages[0]->slos.size() == 256);
  const SloView& view = pages->pages[1]->slos.back();
  CHECK(view.id == 299);
  CHECK(view.definition->name == "slo-299");
  CHECK(view.lifetime == slo::Counts{7, 10});
  CHECK(view.windows[slo::window_5m] == slo::Counts{7, 10});
  CHECK(view.period == slo::Counts{7, 10});
  CHECK(view.born_ms == noon + 1'000);
  CHECK(view.state == slo::SloState::exhausted);
  CHECK(view.coverage[slo::window_5m].measured_ms() == 0);
  CHECK(view.period_coverage.length_ms == 0);
  CHECK(pages->pages[0]->slos[0].state == slo::SloState::no_data);
}

TEST_CASE("a page is built again only if something on it changed") {
  Fixture fixture;
  fixture.define(300);
  fixture.apply(noon, {{0, bucket_of(noon), 1, 1}});
  const auto first = fixture.refreshed();
  CHECK(fixture.refreshed()->pages == first->pages);
  fixture.apply(noon + 100, {{1, bucket_of(noon), 1, 1}});
  const auto counted = fixture.refreshed();
  CHECK(counted->pages[0] != first->pages[0]);
  CHECK(counted->pages[1] == first->pages[1]);
  CHECK(first->pages[0]->slos[1].lifetime.total == 0);
  fixture.apply(noon + 10'000, {});
  const auto edge = fixture.refreshed();
  CHECK(edge->pages[0] != counted->pages[0]);
  CHECK(edge->pages[1] != counted->pages[1]);
}

TEST_CASE("a retired SLO stays listed as such, until no window holds any of its events") {
  Fixture fixture;
  fixture.define(3);
  fixture.apply(noon, {{1, bucket_of(noon), 1, 1}});
  fixture.apply(noon, {}, {}, {1, 2});
  const auto listed = [&] {
    std::vector<std::pair<slo::SloId, bool>> ids;
    for (const SloView& view : fixture.refreshed()->pages[0]->slos) ids.emplace_back(view.id, view.retired);
    return ids;
  };
  CHECK(listed() == std::vector<std::pair<slo::SloId, bool>>{{0, false}, {1, true}});
  constexpr UnixMs day = 86'400'000;
  fixture.apply(noon + 29 * day, {});
  CHECK(listed().size() == 2);
  fixture.apply(noon + 31 * day, {});
  CHECK(listed() == std::vector<std::pair<slo::SloId, bool>>{{0, false}});
}

TEST_CASE("a pass looks at each page once, and is published at its end") {
  Fixture fixture;
  fixture.define(700);
  CHECK(!fixture.pages.refresh_one(fixture.ledger));
  fixture.apply(noon, {{0, bucket_of(noon), 1, 1}});
  CHECK(!fixture.pages.refresh_one(fixture.ledger));
  CHECK(fixture.pages.current()->pages.empty());
  CHECK(fixture.pages.refresh_one(fixture.ledger));
  CHECK(fixture.pages.current()->pages.size() == 3);
  CHECK(fixture.pages.current()->pages[0]->slos[0].lifetime.total == 0);
}
