#include "selfmetrics/own_metrics.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "selfmetrics/catalogue.hpp"
#include "support/metrics_text.hpp"

using namespace nissa;
using namespace nissa::selfmetrics;

namespace {

struct World {
  // Some kilobytes each.
  std::unique_ptr<ingest::Books> books = std::make_unique<ingest::Books>();
  std::unique_ptr<fold::BatchFold::Counters> fold = std::make_unique<fold::BatchFold::Counters>();
  std::unique_ptr<overload::Counters> overload = std::make_unique<overload::Counters>();
  std::unique_ptr<ledger::LedgerCounters> ledger = std::make_unique<ledger::LedgerCounters>();
  std::unique_ptr<journal::Counters> journal = std::make_unique<journal::Counters>();
  slo::MatchSets sets;

  std::vector<Family> families() const {
    return own_families({*books, *fold, *overload, *ledger, *journal, "1.2.3", sets}, {1.5, 2048, 7, 1'749'995'200.25});
  }
  test::MetricsText read() const {
    std::string text;
    expose(families(), text);
    return test::read_metrics(text);
  }
};

}  // namespace

TEST_CASE("every metric of the catalogue is produced once, from the first scrape on, and no other") {
  const World world;
  std::set<std::string_view> produced;
  for (const Family& family : world.families()) {
    CHECK_MESSAGE(produced.insert(family.metric->name).second, family.metric->name);
    CHECK_MESSAGE(!family.samples.empty(), family.metric->name);
  }
  std::set<std::string_view> listed;
  for (const Metric& metric : own_metrics()) listed.insert(metric.name);
  CHECK(produced == listed);
}

TEST_CASE("the text is well-formed, and bears the catalogue's help and type") {
  const auto read = World().read();
  CHECK(read.problems.empty());
  for (const Metric& metric : own_metrics()) {
    REQUIRE(read.families.contains(std::string(metric.name)));
    CHECK(read.families.at(std::string(metric.name)).help == metric.help);
  }
  CHECK(read.families.at("nissa_gate_wait_seconds").type == "histogram");
}

TEST_CASE("the books of door and ledger are one account per class") {
  World world;
  auto& door = world.books->keyed[index_of(Priority::high)];
  door.received.add(100);
  door.malformed.add(3);
  door.refused[static_cast<std::size_t>(Reason::overloaded)].add(7);
  door.in_hand.add(5);
  auto& ledger = world.ledger->classes[index_of(Priority::high)];  // 85 came here
  ledger.received.add(85);
  ledger.counted.add(60);
  ledger.duplicate.add(10);
  ledger.conflict.add(2);
  ledger.refused[static_cast<std::size_t>(Reason::overloaded)].add(1);
  ledger.refused[static_cast<std::size_t>(Reason::journal_slow)].add(4);
  ledger.in_flight.set(8);
  ledger.batch_events.add(600);
  ledger.events_accepted.add(550);
  ledger.events_late.add(30);
  ledger.events_rejected[0].add(15);
  ledger.events_rejected[event_fault_count - 1].add(5);
  REQUIRE(ledger.balanced());

  const auto read = world.read();
  const std::string high = "class=\"high\"";
  CHECK(read.sum("nissa_ingest_received_batches_total", {high}) ==
        read.sum("nissa_ingest_batches_total", {high}) + read.sum("nissa_ingest_in_flight_batches", {high}));
  CHECK(read.value("nissa_ingest_batches_total{class=\"high\",status=\"refused\",identity=\"key\"}") == 12);
  CHECK(read.value("nissa_ingest_batches_total{class=\"high\",status=\"malformed\",identity=\"key\"}") == 3);
  CHECK(read.value("nissa_refusals_total{class=\"high\",reason=\"overloaded\"}") == 8);
  CHECK(read.sum("nissa_refusals_total", {high}) == 12);
  CHECK(read.sum("nissa_ingest_counted_batch_events_total", {high}) == read.sum("nissa_ingest_events_total", {high}));
  CHECK(read.value("nissa_ingest_events_total{class=\"high\",result=\"rejected\"}") == 20);
  CHECK(read.sum("nissa_ingest_rejected_events_total", {high}) == 20);
  CHECK(read.sum("nissa_ingest_received_batches_total") == 100);
}

TEST_CASE("what may come is there with 0 before it comes; a reason nobody foresaw is there once it came") {
  World world;
  CHECK(world.read().value("nissa_refusals_total{class=\"low\",reason=\"no_room\"}") == 0);
  CHECK(world.read().value("nissa_violations_total{component=\"ledger\"}") == 0);
  CHECK(world.read().value("nissa_ingest_closed_connections_total{reason=\"idle\"}") == 0);
  const std::string truncated = "nissa_ingest_closed_connections_total{reason=\"truncated\"}";
  CHECK_FALSE(world.read().has(truncated));
  world.books->closed[static_cast<std::size_t>(Reason::truncated)].add();
  CHECK(world.read().value(truncated) == 1);
}

TEST_CASE("histograms are cumulative and end with +Inf, in seconds") {
  World world;
  world.journal->commit.observe(700'000);        // 0.7 ms
  world.journal->commit.observe(3'000'000'000);  // 3 s
  world.journal->commit.observe(60'000'000'000);
  const auto read = world.read();
  CHECK(read.value("nissa_journal_commit_seconds_bucket{le=\"0.0005\"}") == 0);
  CHECK(read.value("nissa_journal_commit_seconds_bucket{le=\"0.001\"}") == 1);
  CHECK(read.value("nissa_journal_commit_seconds_bucket{le=\"10\"}") == 2);
  CHECK(read.value("nissa_journal_commit_seconds_bucket{le=\"+Inf\"}") == 3);
  CHECK(read.value("nissa_journal_commit_seconds_count") == 3);
  CHECK(read.value("nissa_journal_commit_seconds_sum") == doctest::Approx(63.0007));
}

TEST_CASE("times are seconds, the version is a label") {
  World world;
  world.ledger->ledger_ms.set(1'749'995'200'500);
  world.ledger->running_ms.set(90'000);
  const auto read = world.read();
  CHECK(read.value("nissa_ledger_time_seconds") == 1'749'995'200.5);
  CHECK(read.value("nissa_ledger_running_seconds") == 90);
  CHECK(read.value("nissa_build_info{version=\"1.2.3\"}") == 1);
  CHECK(read.value("process_open_fds") == 7);
  CHECK(read.value("process_start_time_seconds") == 1'749'995'200.25);
}

TEST_CASE("what is left out or done at a price is seen: SLOs beyond an event's 64, batches brought into form") {
  World world;
  CHECK(world.read().value("nissa_slo_fanout_dropped_total") == 0);
  world.ledger->fanout_dropped.add(36);
  world.fold->brought_into_form.add(2);
  CHECK(world.read().value("nissa_slo_fanout_dropped_total") == 36);
  CHECK(world.read().value("nissa_fold_brought_into_form_batches_total") == 2);
}

TEST_CASE("bytes in hand are of both pools") {
  World world;
  world.overload->bytes_in_use[index_of(Priority::critical)].set(1000);
  world.overload->reserve_in_use.set(234);
  world.overload->bytes_in_use[index_of(Priority::high)].set(5);
  CHECK(world.read().value("nissa_gate_bytes{class=\"critical\"}") == 1234);
  CHECK(world.read().value("nissa_gate_bytes{class=\"high\"}") == 5);
}

TEST_CASE("the combinations of SLOs are told in number and in bytes") {
  World world;
  CHECK(world.read().value("nissa_match_sets") == 1);  // the empty one
  world.sets.intern({{.slo = 1, .criterion = {}}});
  world.sets.intern({{.slo = 2, .criterion = {}}});
  const auto read = world.read();
  CHECK(read.value("nissa_match_sets") == 3);
  CHECK(read.value("nissa_match_set_bytes") == static_cast<double>(world.sets.memory_bytes()));
}
