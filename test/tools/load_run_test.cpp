// The load generator against the model server over real sockets: small, and by number of batches, not by time.
#include "tools/load_run.hpp"

#include <doctest/doctest.h>

#include "loopback_server.hpp"
#include "tools/load_report.hpp"

namespace nissa::tools::test {
namespace {

using nissa::test::PeerServer;

TEST_CASE("what was sent is counted, with and without coalescing, at a rate and without, in several classes") {
  for (const bool one_by_one : {false, true}) {
    for (const std::uint64_t rate : {0U, 200'000U}) {
      CAPTURE(one_by_one);
      CAPTURE(rate);
      PeerServer peer;
      LoadOutcome outcome;
      LoadOptions options;
      options.check_slos = false;
      options.one_by_one = one_by_one;
      options.events_per_s = rate;
      options.connections = 4;
      options.shares = {1, 1, 1, 1};
      options.shape.batch_events = 10;
      options.shape.series = 500;
      options.warmup_s = 0;
      options.measure_s = 60;
      options.most_batches = 2'000;
      const LoadPlan plan(options.shape);
      {
        const LoopbackServer server(peer);
        options.port = server.port();
        outcome = run_load(options, plan);
      }
      CHECK(outcome.books.events_counted == 20'000);
      CHECK(peer.events_seen == 20'000);
      CHECK(peer.hellos.size() == 4);
      CHECK(peer.model.counted.size() == 2'000);
      CHECK(peer.model.offences.empty());
      CHECK(disagreements(outcome, plan, false).empty());
      const std::string report = load_report(options, outcome, plan);
      CHECK(report.find("books       agree") != std::string::npos);
      CHECK(report.find("figure ack_p99_ms ") != std::string::npos);
    }
  }
}

TEST_CASE("books that do not agree are said") {
  LoadPlan plan(LoadShape{});
  LoadOutcome outcome;
  outcome.books.tally = plan.empty_tally();
  outcome.books.batches_made = 2;
  outcome.books.events_counted = 100;
  CHECK(disagreements(outcome, plan, true) == std::vector<std::string>{"sent 200 events, counted 100"});
  outcome.books.events_counted = 200;
  outcome.books.tally[0][0] = 200;
  outcome.slos_before.emplace();
  outcome.slos_after.emplace();
  CHECK(disagreements(outcome, plan, false).empty());
  CHECK(disagreements(outcome, plan, true).size() == 4);
}

}  // namespace
}  // namespace nissa::tools::test
