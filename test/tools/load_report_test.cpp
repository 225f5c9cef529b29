#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "support/seed.hpp"
#include "tools/latency_log.hpp"
#include "tools/process_stat.hpp"
#include "tools/slo_totals.hpp"

namespace nissa::tools::test {
namespace {

TEST_CASE("quantiles are within 1.6 % of the sorted latencies, over all sizes") {
  auto random = nissa::test::random_for(40);
  for (int round = 0; round < 50; ++round) {
    LatencyLog log;
    std::vector<std::int64_t> all;
    for (int i = 0; i < 1'000; ++i) {
      all.push_back(static_cast<std::int64_t>(random() >> (1 + random() % 63)));
      log.add(all.back());
    }
    std::ranges::sort(all);
    for (const double share : {0.0, 0.1, 0.5, 0.99, 0.999, 1.0}) {
      const auto index = std::min<std::size_t>(static_cast<std::size_t>(share * 1'000), 999);
      const auto truth = static_cast<double>(all[index]);
      const auto told = static_cast<double>(log.quantile_ns(share));
      CHECK(told >= truth);
      CHECK(told <= truth * 1.016 + 1);
    }
    CHECK(log.longest_ns() == static_cast<std::uint64_t>(all.back()));
  }
  CHECK(LatencyLog().quantile_ns(0.5) == 0);
}

TEST_CASE("the totals are read from the longest window of each SLO") {
  const auto totals = parse_slo_totals(R"({"slos": [{"name": "a", "state": "ok", "windows": [
      {"window": "5m", "good": 1, "total": 2, "burn_rate": null}, {"window": "30d", "good": 7, "total": 9}]},
      {"name": "b", "windows": []}]})");
  REQUIRE(totals);
  CHECK(totals->at("a").good == 7);
  CHECK(totals->at("a").total == 9);
  CHECK(totals->at("b").total == 0);
  CHECK(parse_slo_totals(R"([{"name": "a", "windows": [{"good": 0, "total": 0}]}])"));
}

TEST_CASE("an answer that is no list of SLOs is refused by name") {
  for (const char* bad :
       {"", "{", "{}", "[1]", R"([{"name": "a"}])", R"([{"name": "a", "windows": [{"good": -1, "total": 2}]}])",
        R"([{"name": "a", "windows": [{"good": "1", "total": 2}]}])"})
    CHECK_FALSE(parse_slo_totals(bad));
}

TEST_CASE("differences name the SLO, what was sent and what was counted since") {
  const SloTotals before{{"a", {1, 2}}};
  const SloTotals after{{"a", {4, 7}}, {"b", {1, 1}}};
  CHECK(differences({{"a", 3, 5}, {"b", 1, 1}}, before, after).empty());
  const auto lines = differences({{"a", 3, 6}, {"c", 1, 1}}, before, after);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "a: sent 3 good of 6, counted 3 of 5");
  CHECK(differences(std::vector<ExpectedSlo>(15, {"x", 1, 1}), {}, {}).back() == "and 5 more");
}

TEST_CASE("the cost of this very process can be read; that of none cannot") {
  const auto cost = cost_of_process(getpid());
  REQUIRE(cost);
  CHECK(cost->rss_mb > 1);
  CHECK(cost->peak_rss_mb >= cost->rss_mb);
  CHECK(cost->cpu_s >= 0);
  CHECK_FALSE(cost_of_process(-1));
}

}  // namespace
}  // namespace nissa::tools::test
