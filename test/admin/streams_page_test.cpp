#include "admin/streams_page.hpp"

#include <doctest/doctest.h>

using namespace nissa;
using namespace nissa::admin;

TEST_CASE("an epoch shows its agent and the streams that it uses, numbers beyond 53 bits as text") {
  ledger::EpochView epoch;
  epoch.epoch = 0xfedc'ba98'7654'3210;
  epoch.seen = {5, 1000};
  epoch.last_running_ms = 4000;
  epoch.agent = "shop \"1\"";
  epoch.principal = "127.0.0.1";
  epoch.streams[index_of(Priority::high)] = {.low = 3, .top = 9, .used = true};
  const ledger::StreamList list{
      .epochs = 1, .bytes = 700, .tombstones = 2, .running_ms = 4500, .floor = 17, .latest = {epoch}};
  CHECK(streams_page(list) ==
        R"({"epochs_remembered":1,"bytes":700,"tombstones":2,"running_ms":4500,"floor_running_ms":17,"epochs":[)"
        R"({"epoch":"fedcba9876543210","agent":"shop \"1\"","principal":"127.0.0.1","seen_running_ms":1000,)"
        R"("last_counted_ago_ms":500,"streams":[{"priority":"high","settled_below":3,"next_sequence":9}]}]})"
        "\n");
}

TEST_CASE("small epochs keep their leading zeros, and nothing remembered is an empty list") {
  ledger::EpochView epoch;
  epoch.epoch = 255;
  CHECK(streams_page({.epochs = 1, .latest = {epoch}}).find("\"00000000000000ff\"") != std::string::npos);
  CHECK(streams_page({}).ends_with("\"epochs\":[]}\n"));
}
