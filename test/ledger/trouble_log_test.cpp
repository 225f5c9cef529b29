#include "ledger/trouble_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/captured_log.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }
int lines_of(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("a slow journal is told once when it begins, and once when a whole group was in time again") {
  test::CapturedLog log;
  TroubleLog trouble;
  trouble.durable(1, ns_per_s);
  trouble.slow(0, 2 * ns_per_s);
  CHECK(log.text().empty());
  trouble.slow(3, 3 * ns_per_s);
  CHECK(has(log.text(), "level=warning component=ledger msg=\"the journal is slow:"));
  trouble.slow(2, 4 * ns_per_s);
  trouble.durable(2, 5 * ns_per_s);  // it was the slow one
  trouble.slow(2, 6 * ns_per_s);
  trouble.durable(3, 7 * ns_per_s);
  CHECK(log.text().empty());
  trouble.durable(4, 8 * ns_per_s);
  const std::string over = log.text();
  CHECK(has(over, "level=info component=ledger msg=\"the journal is in time again\" lsn=4 after_ms=5000 "));
  CHECK(lines_of(over) == 1);
  trouble.durable(5, 9 * ns_per_s);
  CHECK(log.text().empty());
}

TEST_CASE("a full disk is told once when it begins, and its length when it has ended") {
  test::CapturedLog log;
  TroubleLog trouble;
  for (BootNs now = 1; now < 10; ++now) trouble.disk_full(7, now * ns_per_s);
  const std::string begun = log.text();
  CHECK(lines_of(begun) == 1);
  CHECK(has(begun, "level=error component=ledger msg=\"the disk is full:"));
  trouble.durable(7, 12 * ns_per_s);
  CHECK(has(log.text(), "the disk has room again: batches are taken\" lsn=7 after_ms=11000 "));
}

TEST_CASE("a clock that is held is told when that begins, changes and ends, not at each reading") {
  test::CapturedLog log;
  TroubleLog trouble;
  trouble.clock({}, 0);
  CHECK(log.text().empty());
  for (int i = 0; i < 5; ++i) trouble.clock({.hold = ClockHold::stepped_ahead, .apart_ms = 9000}, ns_per_s);
  const std::string held = log.text();
  CHECK(lines_of(held) == 1);
  CHECK(has(held, "hold=stepped_ahead apart_ms=9000 "));
  trouble.clock({.hold = ClockHold::standing, .apart_ms = -1}, 2 * ns_per_s);
  CHECK(has(log.text(), "hold=standing "));
  trouble.clock({}, 4 * ns_per_s);
  CHECK(has(log.text(), "the wall clock is followed again\" after_ms=3000 "));
}

TEST_CASE("a new epoch that finds no room in the memory of keys is told with who it was") {
  test::CapturedLog log;
  TroubleLog trouble;
  LedgerCounters counters;
  counters.epochs.set(9);
  Submission submission;
  submission.sender = std::make_shared<const Sender>(Sender{"shop 1", "10.0.0.1"});
  Answer answer;
  answer.reason = Reason::window_full;
  trouble.told(submission, {&answer, 1}, counters);
  CHECK(log.text().empty());
  answer.reason = Reason::streams_full;
  for (int i = 0; i < 100; ++i) trouble.told(submission, {&answer, 1}, counters);
  const std::string told = log.text();
  CHECK(lines_of(told) == 1);
  CHECK(has(told, "principal=10.0.0.1 agent=\"shop 1\" epochs=9 "));
}
