#include "ingest/door_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/captured_log.hpp"

using namespace nissa;
using namespace nissa::ingest;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
int lines_of(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("an agent is new once for each principal, and what is remembered of agents is bounded") {
  KnownAgents agents;
  CHECK(agents.is_new("10.0.0.1", "shop"));
  CHECK_FALSE(agents.is_new("10.0.0.1", "shop"));
  CHECK(agents.is_new("10.0.0.2", "shop"));
  CHECK(agents.is_new("10.0.0.1", "bank"));
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < 3 * KnownAgents::most; ++i) fresh += agents.is_new("p", std::to_string(i)) ? 1 : 0;
  CHECK(fresh == 3 * KnownAgents::most);
  CHECK(agents.is_new("10.0.0.1", "shop"));  // forgotten: it began anew
}

TEST_CASE("a flood of malformed input is one line, with who, why and where, and names of bounded length") {
  test::CapturedLog log;
  for (int i = 0; i < 1000; ++i)
    log_malformed("10.0.0.1", std::string(100'000, 'a'), {Reason::bad_utf8, 12, "events[3].service"});
  const std::string told = log.text();
  CHECK(lines_of(told) == 1);
  CHECK(has(told, "level=warning component=ingest msg=\"malformed input\" principal=10.0.0.1 agent=" +
                      std::string(longest_logged_name, 'a') +
                      " reason=bad_utf8 field=events[3].service offset=12 place=door_log.cpp:"));
}

TEST_CASE("a connection that is closed for the server's stop is no line of its own") {
  test::CapturedLog log;
  log_closed("10.0.0.1", "shop", Reason::shutting_down);
  CHECK(log.text().empty());
  log_closed("10.0.0.1", "shop", Reason::slow_frame);
  CHECK(has(log.text(), "principal=10.0.0.1 agent=shop reason=slow_frame"));
}

TEST_CASE("events that found no room among the sets of SLOs are told, others are not") {
  test::CapturedLog log;
  slo::MatchSets sets;
  fold::Folded folded;
  folded.rejected[static_cast<std::size_t>(EventFault::name_too_long) - 1] = 3;
  log_match_sets_full(folded, sets);
  CHECK(log.text().empty());
  folded.rejected[static_cast<std::size_t>(EventFault::match_sets_full) - 1] = 3;
  log_match_sets_full(folded, sets);
  CHECK(has(log.text(), " events=3 match_sets=1 match_set_bytes="));
}
