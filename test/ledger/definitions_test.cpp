#include "ledger/definitions.hpp"

#include <doctest/doctest.h>

#include "ledger/definition_changes.hpp"
#include "ledger/gaps.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

slo::Definition named(std::string name, std::string service, std::uint64_t parts = 99'900'000) {
  slo::Definition definition;
  definition.name = std::move(name);
  definition.sli.selector.service = std::move(service);
  definition.objective = *slo::Objective::from_parts(parts);
  return definition;
}

struct Server {
  Definitions definitions;
  Lsn lsn = 0;
  // As a start or a reload does.
  DefinitionPlan configure(const std::vector<slo::Definition>& configured) {
    DefinitionPlan plan = *definitions.plan(configured);
    definitions.apply({.lsn = ++lsn, .defines = plan.defines, .retired = plan.retired});
    return plan;
  }
};

}  // namespace

TEST_CASE("the same SLI keeps its id under a new target; another SLI is a new id, and the old one is retired") {
  Server server;
  CHECK(server.configure({named("a", "x"), named("b", "x")}).ids == std::vector<slo::SloId>{0, 1});
  CHECK(server.configure({named("a", "x"), named("b", "x")}).empty());

  const DefinitionPlan target = server.configure({named("a", "x", 99'000'000), named("b", "x")});
  CHECK(target.ids == std::vector<slo::SloId>{0, 1});
  CHECK(target.defines.size() == 1);
  CHECK(server.definitions.find(0)->definition->objective.parts() == 99'000'000);

  const DefinitionPlan other = server.configure({named("a", "y"), named("b", "x")});
  CHECK(other.ids == std::vector<slo::SloId>{2, 1});
  CHECK(other.retired == std::vector<slo::SloId>{0});
  CHECK(server.definitions.find(0)->retired);
  CHECK(!server.definitions.find(2)->retired);
}

TEST_CASE("an SLO that comes back finds its old id; an id is never used for anything else") {
  Server server;
  server.configure({named("a", "x")});
  server.configure({});
  CHECK(server.definitions.find(0)->retired);
  CHECK(server.configure({named("b", "x")}).ids == std::vector<slo::SloId>{1});
  CHECK(server.configure({named("b", "x"), named("a", "x")}).ids == std::vector<slo::SloId>{1, 0});
  CHECK(!server.definitions.find(0)->retired);
}

TEST_CASE("a plan tells which histories begin, go on and end, in whose place, and what was changed") {
  Server server;
  const auto told = [&](const std::vector<slo::Definition>& configured) {
    const DefinitionPlan plan = *server.definitions.plan(configured);
    std::string all;
    for (const HistoryChange& one : history_changes(server.definitions, plan)) {
      using What = HistoryChange::What;
      all += one.slo + (one.what == What::begins ? " begins" : one.what == What::resumes ? " resumes" : " ends");
      if (!one.instead_of.empty()) all += " instead of " + one.instead_of + ", changed " + one.changed;
      all += "; ";
    }
    server.configure(configured);
    return all;
  };
  CHECK(told({named("a", "x"), named("b", "y")}) == "a begins; b begins; ");
  CHECK(told({named("a", "x"), named("b", "y")}).empty());
  CHECK(told({named("a", "x", 99'000'000), named("b", "y")}).empty());
  CHECK(told({named("c", "x"), named("b", "y")}) == "c begins instead of a, changed name; ");
  CHECK(told({named("a", "x"), named("b", "y")}) == "a resumes instead of c, changed name; ");
  CHECK(told({named("a", "z"), named("b", "y"), named("d", "d")}) ==
        "a begins instead of a, changed service; d begins; ");
  CHECK(told({named("a", "x"), named("d", "d")}) == "a resumes instead of a, changed service; b ends; ");
  // A name that passes on: each of the retired is told once.
  CHECK(told({named("e", "x"), named("a", "w"), named("d", "d")}) == "e begins instead of a, changed name; a begins; ");
  CHECK(told({}) == "d ends; e ends; a ends; ");
}

TEST_CASE("every key of an SLI that was changed is named, and the order of labels is no change") {
  const auto changed = [](auto change) {
    slo::Definition before = named("a", "x");
    before.sli.selector.labels = {{"k", "1"}, {"l", "2"}};
    before.sli.criterion.kind = slo::SliKind::latency;
    before.sli.criterion.threshold_ns = 1'000;
    Server server;
    server.configure({before});
    change(before.sli.selector, before.sli.criterion);
    const auto changes = history_changes(server.definitions, *server.definitions.plan(std::vector{before}));
    return changes.empty() ? "" : changes[0].changed;
  };
  using Selector = slo::Selector;
  using Criterion = slo::Criterion;
  CHECK(changed([](Selector& selector, Criterion&) { std::swap(selector.labels[0], selector.labels[1]); }).empty());
  CHECK(changed([](Selector& selector, Criterion& criterion) {
          std::swap(selector.labels[0], selector.labels[1]);
          criterion.threshold_ns = 2'000;
        }) == "threshold");
  CHECK(changed([](Selector& selector, Criterion& criterion) {
          selector = {"y", "GET", {}};
          criterion = {.good = {slo::Outcome::ok}, .ignore = {}};
        }) == "service, operation, labels, sli, threshold, good, ignore");
  CHECK(changed([](Selector&, Criterion& criterion) { criterion.failures = slo::Failures::bad; }) == "failures");
}

TEST_CASE("long names and many SLOs: a plan for what is there already is empty") {
  Server server;
  std::vector<slo::Definition> configured;
  for (int i = 0; i < 1'000; ++i)
    configured.push_back(named("a name that is too long to be kept within a string object " + std::to_string(i), "x"));
  server.configure(configured);
  CHECK(server.definitions.plan(configured)->empty());
}

TEST_CASE("two SLOs of one name and SLI are refused") {
  Server server;
  server.configure({named("a", "x")});
  CHECK(!server.definitions.plan(std::vector{named("a", "x"), named("a", "x")}).has_value());
}

TEST_CASE("an SLO's row is read as it was written, and nothing else is") {
  Server server;
  server.configure({named("a", "x"), named("b", "y")});
  server.configure({named("b", "y")});
  for (const slo::SloId id : {0u, 1u}) {
    Bytes row;
    REQUIRE(server.definitions.encode(id, row));
    Definitions loaded;
    REQUIRE(loaded.load(id, row, 2).has_value());
    CHECK(*loaded.find(id)->definition == *server.definitions.find(id)->definition);
    CHECK(loaded.find(id)->retired == (id == 0));
    row.push_back(0);
    CHECK(!loaded.load(id, row, 2).has_value());
    for (std::size_t size = 0; size + 1 < row.size(); ++size) CHECK(!loaded.load(id, ByteView(row).first(size), 2));
  }
}

TEST_CASE("gaps: the list stays sorted and bounded, and beyond the bound only measured time is lost") {
  auto random = test::random_for(0x6a9);
  Gaps gaps;
  UnixMs now = 1'700'000'000'000;
  std::int64_t lost = 0;
  for (int i = 0; i < 6'000; ++i) {
    const UnixMs from = now + static_cast<UnixMs>(random() % 1'000);
    now = from + 1 + static_cast<UnixMs>(random() % 1'000);
    lost += now - from;
    gaps.add({from, now});
  }
  CHECK(gaps.all().size() == Gaps::most);
  std::int64_t listed = 0;
  for (std::size_t i = 0; i < gaps.all().size(); ++i) {
    CHECK(gaps.all()[i].from_ms < gaps.all()[i].to_ms);
    if (i > 0) CHECK(gaps.all()[i - 1].to_ms <= gaps.all()[i].from_ms);
    listed += gaps.all()[i].to_ms - gaps.all()[i].from_ms;
  }
  CHECK(listed >= lost);
  Bytes bytes;
  ByteWriter writer(bytes);
  gaps.encode(writer);
  ByteReader reader(bytes);
  Gaps read;
  REQUIRE(read.decode(reader));
  CHECK(read == gaps);
  gaps.drop_old(now + Gaps::kept_ms);
  CHECK(gaps.all().empty());
}
