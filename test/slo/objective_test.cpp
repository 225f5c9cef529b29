#include "slo/objective.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "support/seed.hpp"

using nissa::slo::Objective;

TEST_CASE("an objective is an exact decimal of percent") {
  const std::pair<const char*, std::uint64_t> vectors[] = {
      {"99.9", 99'900'000}, {"99.95 %", 99'950'000},   {"99.99%", 99'990'000},      {"50", 50'000'000},
      {"0.000001", 1},      {"99.999999", 99'999'999}, {"099.90000000", 99'900'000}};
  for (const auto& [text, parts] : vectors) {
    CAPTURE(text);
    const auto objective = Objective::parse(text);
    REQUIRE(objective.has_value());
    CHECK(objective->parts() == parts);
    CHECK(objective->budget_parts() == 100'000'000 - parts);
  }
}

TEST_CASE("what is no objective is refused with its text and the reason") {
  const std::pair<const char*, const char*> vectors[] = {{"100", "100 % leaves no error budget"},
                                                         {"100.000000 %", "100 % leaves no error budget"},
                                                         {"100.1", "less than 100 %"},
                                                         {"99999999999999999999999", "less than 100 %"},
                                                         {"0", "more than 0 %"},
                                                         {"0.0", "more than 0 %"},
                                                         {"99.9999999", "six decimals"},
                                                         {"", "expected a percentage"},
                                                         {"%", "expected a percentage"},
                                                         {".5", "expected a percentage"},
                                                         {"99.", "expected a percentage"},
                                                         {"9e1", "expected a percentage"},
                                                         {"-1", "expected a percentage"},
                                                         {"99,9", "expected a percentage"},
                                                         {"99.9.9", "expected a percentage"},
                                                         {" 99.9", "expected a percentage"}};
  for (const auto& [text, reason] : vectors) {
    CAPTURE(text);
    const auto objective = Objective::parse(text);
    REQUIRE(!objective.has_value());
    CHECK(objective.error().message.find(reason) != std::string::npos);
    CHECK(objective.error().message.find(text) != std::string::npos);
  }
}

TEST_CASE("an objective is printed as it can be read again, without needless zeros") {
  CHECK(Objective::parse("99.90")->to_string() == "99.9");
  CHECK(Objective::parse("50.0")->to_string() == "50");
  CHECK(Objective::parse("0.000001")->to_string() == "0.000001");
  auto random = nissa::test::random_for(11);
  for (int round = 0; round < 2000; ++round) {
    const auto objective = Objective::from_parts(1 + random() % 99'999'999);
    REQUIRE(objective.has_value());
    const auto again = Objective::parse(objective->to_string());
    REQUIRE(again.has_value());
    CHECK(*again == *objective);
  }
  CHECK(!Objective::from_parts(0).has_value());
  CHECK(!Objective::from_parts(100'000'000).has_value());
}
