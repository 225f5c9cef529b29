#include "tools/load_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "support/seed.hpp"
#include "wire/event_walk.hpp"
#include "wire/header_peek.hpp"

namespace nissa::tools::test {
namespace {

constexpr UnixNs base = 1'750'000'000 * ns_per_s;

struct Seen {
  std::set<std::string> identities;
  std::map<std::string, std::uint64_t> by_service;
  std::vector<std::uint64_t> times;
  std::uint64_t failures = 0;
};

// Reads a body as the server would, and proves each identity.
Seen read(const LoadPlan& plan, const PlannedBatch& batch, LoadTally* tally) {
  wire::BatchHeader header;
  header.event_count = plan.shape().batch_events;
  Bytes bytes;
  wire::append_header(bytes, header);
  header.header_size = static_cast<std::uint32_t>(bytes.size());
  plan.append_body(batch, bytes, tally);
  CHECK(bytes.size() - header.header_size == plan.body_size(batch));
  Seen seen;
  wire::BodyWalk walk(bytes, header);
  wire::EventView event;
  while (walk.next(event)) {
    const auto identity = wire::prove_identity(event.identity);
    REQUIRE(identity);
    CHECK(identity->labels.size() == plan.shape().labels);
    seen.identities.emplace(as_text(event.identity));
    ++seen.by_service[std::string(identity->service)];
    seen.times.push_back(event.time_unix_ns);
    seen.failures += event.outcome == wire::EventOutcome::error;
    CHECK(event.duration_ns < 1'000'000'000);
  }
  CHECK(walk.finish());
  return seen;
}

TEST_CASE("a batch is well-formed, each event of another series, and the same bytes whenever it is made") {
  for (const std::uint32_t labels : {0U, 5U, 8U}) {
    for (const std::uint32_t batch : {1U, 10U, 1'000U}) {
      LoadShape shape;
      shape.labels = labels;
      shape.batch_events = batch;
      shape.series = 1'000;
      const LoadPlan plan(shape);
      for (std::uint64_t number = 0; number < 20; ++number) {
        const Seen seen = read(plan, {number, base}, nullptr);
        CHECK(seen.identities.size() == batch);
        Bytes once, twice;
        plan.append_body({number, base}, once, nullptr);
        plan.append_body({number, base}, twice, nullptr);
        CHECK(once == twice);
      }
    }
  }
}

TEST_CASE("the tally is what the bodies hold, by service, and each n-th event of all is a failure") {
  LoadShape shape;
  shape.batch_events = 7;
  shape.series = 100;
  shape.services = 9;
  shape.failure_every = 10;
  const LoadPlan plan(shape);
  LoadTally tally = plan.empty_tally();
  std::map<std::string, std::uint64_t> by_service;
  std::uint64_t failures = 0;
  for (std::uint64_t number = 0; number < 100; ++number) {
    const Seen seen = read(plan, {number, base}, &tally);
    for (const auto& [service, count] : seen.by_service) by_service[service] += count;
    failures += seen.failures;
  }
  CHECK(failures == 70);
  const auto expected = plan.expected(tally);
  REQUIRE(expected.size() == 9 * 4);
  std::uint64_t total = 0, availability_good = 0;
  for (std::size_t i = 0; i < expected.size(); i += 4) {
    total += expected[i].total;
    availability_good += expected[i].good;
    for (std::size_t k = 1; k < 4; ++k) CHECK(expected[i + k].total == expected[i].total);
  }
  CHECK(total == 700);
  CHECK(availability_good == 630);
  for (const auto& [service, count] : by_service)
    CHECK(expected[std::stoul(service.substr(service.rfind('-') + 1)) * 4].total == count);
}

TEST_CASE("sorted times ascend, shuffled ones stay within a minute, days within 29") {
  for (const Disorder disorder : {Disorder::sorted, Disorder::shuffled, Disorder::days}) {
    LoadShape shape;
    shape.batch_events = 1'000;
    shape.disorder = disorder;
    const Seen seen = read(LoadPlan(shape), {5, base}, nullptr);
    const auto [least, most] = std::ranges::minmax(seen.times);
    CHECK(most <= static_cast<std::uint64_t>(base));
    CHECK(std::ranges::is_sorted(seen.times) == (disorder == Disorder::sorted));
    const std::uint64_t span_s = (static_cast<std::uint64_t>(base) - least) / ns_per_s;
    CHECK(span_s <= (disorder == Disorder::sorted ? 1U : disorder == Disorder::shuffled ? 60U : 29U * 86'400));
    if (disorder == Disorder::days) CHECK(span_s > 20U * 86'400);
  }
}

TEST_CASE("the configuration has an SLO of its own name for each service and threshold") {
  LoadShape shape;
  shape.services = 3;
  shape.slos_per_event = 16;
  const LoadPlan plan(shape);
  const std::string text = plan.slo_configuration();
  for (const ExpectedSlo& slo : plan.expected(plan.empty_tally()))
    CHECK(text.find("name = \"" + slo.name + "\"") != std::string::npos);
  CHECK(plan.expected(plan.empty_tally()).size() == 48);
}

}  // namespace
}  // namespace nissa::tools::test
