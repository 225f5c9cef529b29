#include "selfmetrics/exposition.hpp"

#include <doctest/doctest.h>

#include "support/metrics_text.hpp"

using namespace nissa;
using namespace nissa::selfmetrics;

TEST_CASE("a counter of billions keeps its last digit") {
  std::string text;
  expose({Family("nissa_ingest_unmatched_events_total").add({}, 123'456'789'012'345)}, text);
  CHECK(test::read_metrics(text).value("nissa_ingest_unmatched_events_total") == 123'456'789'012'345);
  CHECK(text.find("e+") == std::string::npos);
}

TEST_CASE("label values are escaped") {
  std::string text;
  expose({Family("nissa_build_info").add({{"version", "a\"b\\c\nd"}}, 1)}, text);
  const auto read = test::read_metrics(text);
  CHECK(read.problems.empty());
  CHECK(read.has("nissa_build_info{version=\"a\\\"b\\\\c\\nd\"}"));
}

TEST_CASE("what is written is appended, and a family without samples is left out") {
  std::string text = "before\n";
  expose({Family("nissa_gate_held"), Family("nissa_ledger_lsn").add({}, 3)}, text);
  CHECK(text ==
        "before\n# HELP nissa_ledger_lsn Number of the last record applied.\n# TYPE nissa_ledger_lsn gauge\n"
        "nissa_ledger_lsn 3\n");
}
