#include "config/quantities.hpp"

#include <doctest/doctest.h>

#include "support/seed.hpp"

using namespace nissa::config;

TEST_CASE("a duration is a whole number and a unit") {
  CHECK(parse_duration_ns("250us").value() == 250'000);
  CHECK(parse_duration_ns("5ms").value() == 5'000'000);
  CHECK(parse_duration_ns("30s").value() == 30'000'000'000);
  CHECK(parse_duration_ns("10 min").value() == 600'000'000'000);
  CHECK(parse_duration_ns("30d").value() == 2'592'000'000'000'000);
}

TEST_CASE("a quantity without a unit, with a wrong unit or too large is refused with what was expected") {
  CHECK(parse_duration_ns("30").error().message.find("has no unit") != std::string::npos);
  CHECK(parse_duration_ns("30 MiB").error().message.find("unknown unit") != std::string::npos);
  CHECK(parse_duration_ns("s").error().message.find("whole number") != std::string::npos);
  CHECK(parse_duration_ns("-3s").error().message.find("whole number") != std::string::npos);
  CHECK(parse_duration_ns("9999999d").error().message.find("too large") != std::string::npos);
  CHECK(parse_bytes("64MB").error().message.find("MiB") != std::string::npos);
  CHECK(parse_bytes("99999999999999999999 B").error().message.find("too large") != std::string::npos);
}

TEST_CASE("a unit of another habit is answered with ours, a fraction with the same in whole numbers") {
  const auto said = [](const auto& result) {
    const std::string& message = result.error().message;
    return message.substr(message.find("for example"));
  };
  const std::string of_time = "for example \"30s\"", of_bytes = "for example \"64 MiB\"";
  CHECK(parse_duration_ns("0.5s").error().message ==
        "\"0.5s\" is no whole number; expected a whole number and one of us, ms, s, min, h, d, for example \"30s\"; "
        "write \"500ms\"");
  CHECK(said(parse_duration_ns("1.5 h")) == of_time + "; write \"90min\"");
  CHECK(said(parse_duration_ns("0.25m")) == of_time + "; write \"15s\"");
  CHECK(said(parse_duration_ns("2.5d")) == of_time + "; write \"60h\"");
  CHECK(said(parse_duration_ns("0.0001d")) == of_time + "; write \"8640ms\"");
  for (const char* beyond : {"0.5us", "0.00001d", "0.s", "0.5", "0.5x", "36500.5d", "9223372036854775807.5d", "0.5s x"})
    CHECK_MESSAGE(said(parse_duration_ns(beyond)) == of_time, beyond);
  CHECK(said(parse_bytes("1.5GB")) == of_bytes + "; write \"1536 MiB\"");
  CHECK(said(parse_bytes("0.0001 KiB")) == of_bytes);
  CHECK(said(parse_duration_ns("1m")) == of_time + "; did you mean \"1min\"?");
  CHECK(said(parse_duration_ns("20 µs")) == of_time + "; did you mean \"20us\"?");
  CHECK(said(parse_bytes("1 MB")) == of_bytes + "; did you mean \"1 MiB\"?");
  CHECK(said(parse_bytes("1M")) == of_bytes + "; did you mean \"1 MiB\"?");
  CHECK(said(parse_duration_ns("1 MB")) == of_time);
  CHECK(said(parse_bytes("1m")) == of_bytes);
}

TEST_CASE("what is formatted is read back as the same quantity") {
  auto random = nissa::test::random_for(31);
  for (int round = 0; round < 2000; ++round) {
    const auto us = static_cast<std::int64_t>(random() % 10'000'000'000'000);
    CHECK(parse_duration_ns(format_duration(us * 1000)).value() == us * 1000);
    const auto bytes = random() % (std::uint64_t{1} << 50);
    CHECK(parse_bytes(format_bytes(bytes)).value() == bytes);
  }
}
