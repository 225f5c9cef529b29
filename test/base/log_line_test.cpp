#include "base/log_line.hpp"

#include <doctest/doctest.h>

using namespace nissa;

namespace {

std::string written(LogFormat format, std::string_view message, LogFields fields, std::uint64_t suppressed = 0) {
  return format_log_line(format, {.time = "2026-11-28T16:17:34.123Z",
                                  .level = LogLevel::warning,
                                  .component = "ledger",
                                  .message = message,
                                  .fields = fields,
                                  .place = "ledger.cpp:12",
                                  .suppressed = suppressed});
}

}  // namespace

TEST_CASE("a line has its time, level, component, message, fields and place, as text or as JSON") {
  const LogFields fields{{"agent", "shop 1"}, {"batches", 3u}, {"skew_ms", -7}};
  CHECK(written(LogFormat::text, "slow", fields) ==
        "time=2026-11-28T16:17:34.123Z level=warning component=ledger msg=slow agent=\"shop 1\" batches=3 skew_ms=-7 "
        "place=ledger.cpp:12\n");
  CHECK(written(LogFormat::json, "slow", fields, 4) ==
        R"({"time":"2026-11-28T16:17:34.123Z","level":"warning","component":"ledger","msg":"slow","agent":"shop 1",)"
        R"("batches":3,"skew_ms":-7,"place":"ledger.cpp:12","suppressed":4})"
        "\n");
}

TEST_CASE("whatever an agent calls itself, its line stays one line and one value") {
  const std::string_view hostile("a\nlevel=error msg=\"gone\" \\ \x01\x7f", 29);
  const std::string text = written(LogFormat::text, "hello", {{"agent", hostile}});
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find(R"( agent="a\nlevel=error msg=\"gone\" \\ \x01\x7f" place=)") != text.npos);
  const std::string json = written(LogFormat::json, "hello", {{"agent", "\xff\n\""}});
  CHECK(json.find('\n') == json.size() - 1);
  CHECK(json.find("\"agent\":\"\xef\xbf\xbd\\n\\\"\",") != json.npos);
}

TEST_CASE("numbers beyond 63 bits are told as the largest") {
  CHECK(written(LogFormat::text, "m", {{"n", ~std::uint64_t{0}}}).find(" n=9223372036854775807 ") != std::string::npos);
}

TEST_CASE("levels have names both ways") {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error})
    CHECK(log_level_named(name_of(level)) == level);
  CHECK_FALSE(log_level_named("verbose").has_value());
  CHECK_FALSE(log_level_named("").has_value());
}

TEST_CASE("of one place some lines go at once, then one a while, and what was left out is told once") {
  LogThrottle throttle;
  const LogThrottle::Place here{"a.cpp", 1}, there{"a.cpp", 2};
  const LogRate rate{.every_ns = ns_per_s, .at_once = 3};
  BootNs now = 0;  // just booted
  for (int i = 0; i < 3; ++i) CHECK(throttle.may_write(here, rate, now) == 0u);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(throttle.may_write(here, rate, now).has_value());
  CHECK(throttle.may_write(there, rate, now) == 0u);
  now += ns_per_s - 1;
  CHECK_FALSE(throttle.may_write(here, rate, now).has_value());
  now += 1;
  CHECK(throttle.may_write(here, rate, now) == 5u);
  CHECK_FALSE(throttle.may_write(here, rate, now).has_value());
  now += 3 * ns_per_s;
  for (const std::uint64_t suppressed : {1u, 0u, 0u}) CHECK(throttle.may_write(here, rate, now) == suppressed);
  CHECK_FALSE(throttle.may_write(here, rate, now).has_value());
}

TEST_CASE("however often it is asked, a place writes at most what its rate allows") {
  LogThrottle throttle;
  const LogRate rate{.every_ns = 10 * ns_per_s, .at_once = 1};
  int written = 0;
  for (BootNs now = 5 * ns_per_s; now < 3'605 * ns_per_s; now += 7 * ns_per_ms)
    written += throttle.may_write({"a.cpp", 1}, rate, now).has_value() ? 1 : 0;
  CHECK(written <= 360);
  CHECK(written >= 350);
}
