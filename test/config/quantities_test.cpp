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

TEST_CASE("what is formatted is read back as the same quantity") {
  auto random = nissa::test::random_for(31);
  for (int round = 0; round < 2000; ++round) {
    const auto us = static_cast<std::int64_t>(random() % 10'000'000'000'000);
    CHECK(parse_duration_ns(format_duration(us * 1000)).value() == us * 1000);
    const auto bytes = random() % (std::uint64_t{1} << 50);
    CHECK(parse_bytes(format_bytes(bytes)).value() == bytes);
  }
}
