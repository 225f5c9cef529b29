#include "config/slo_section.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace nissa;
using namespace nissa::config;

namespace {

struct Read {
  Problems problems;
  std::vector<slo::Definition> slos;
};

Read read(const std::string& text) {
  Read result;
  Settings settings;
  TomlTable file = TomlTable::parse(text, "nissa.toml", result.problems, settings);
  result.slos = read_slos(file);
  file.refuse_unknown_keys();
  return result;
}

const std::string whole = R"([[slo]]
name = "checkout"
service = "shop"
operation = "POST /checkout*"
labels = { region = "eu-*" }
sli = "latency"
threshold = "300ms"
failures = "bad"
good = ["OK"]
ignore = ["CANCELLED", "CLIENT_ERROR"]
objective = "99.95 %"
period = "28d"
)";

bool says(const Read& result, const std::string& text) {
  for (const std::string& problem : result.problems)
    if (problem.find(text) != std::string::npos) return true;
  return false;
}

std::string without(std::string text, const std::string& line_start) {
  const auto at = text.find(line_start);
  return text.erase(at, text.find('\n', at) - at + 1);
}

}  // namespace

TEST_CASE("every key of an SLO is read") {
  const Read result = read(whole);
  REQUIRE(result.problems.empty());
  REQUIRE(result.slos.size() == 1);
  const slo::Definition& definition = result.slos[0];
  CHECK(definition.name == "checkout");
  CHECK(definition.service == "shop");
  CHECK(definition.sli.selector.operation == "POST /checkout*");
  CHECK(definition.sli.selector.labels == std::vector<slo::LabelGlob>{{"region", "eu-*"}});
  CHECK(definition.sli.criterion.threshold_ns == 300'000'000);
  CHECK(definition.sli.criterion.failures == slo::Failures::bad);
  CHECK(definition.sli.criterion.good == slo::OutcomeMask{slo::Outcome::ok});
  CHECK(definition.objective.to_string() == "99.95");
  CHECK(definition.period_ms == 28LL * 86'400'000);
}

TEST_CASE("an unknown key is refused with its place and the nearest name") {
  const Read result = read(whole + "treshold = \"1s\"\n");
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0] == "nissa.toml:13:1: unknown key slo[1].treshold; did you mean slo[1].threshold?");
}

TEST_CASE("all problems of a file are told at once") {
  const Read result =
      read("[[slo]]\nname = \"a b\"\nsli = \"latencyy\"\nobjective = \"100 %\"\n[[slo]]\nname = \"x\"\n");
  CHECK(says(result, "nissa.toml:2:8: slo[1].name: expected 1 to 256 letters"));
  CHECK(says(result, "did you mean \"latency\"?"));
  CHECK(says(result, "slo[1].objective"));
  CHECK(says(result, "slo[2].sli: is missing"));
  CHECK(says(result, "slo[2].objective: is missing"));
}

TEST_CASE("a latency SLI needs a threshold with a unit, an availability SLI has none") {
  CHECK(says(read(without(whole, "threshold")), "slo[1].threshold: is missing"));
  std::string bare = whole;
  bare.replace(bare.find("\"300ms\""), 7, "300");
  CHECK(says(read(bare), "expected a string with a unit"));
  std::string availability = whole;
  availability.replace(availability.find("\"latency\""), 9, "\"availability\"");
  CHECK(says(read(availability), "slo[1].threshold: belongs to sli = \"latency\" only"));
  CHECK(says(read(availability), "slo[1].failures: belongs to sli = \"latency\" only"));
}

TEST_CASE("two SLOs of one name are refused, and a file without any") {
  CHECK(says(read(whole + whole), "is the name of an earlier SLO"));
  CHECK(says(read(""), "no [[slo]] is configured"));
}

TEST_CASE("what is not TOML is one problem with its place") {
  const Read result = read("[[slo]]\nname = = 3\n");
  REQUIRE(result.problems.size() >= 1);
  CHECK(result.problems[0].starts_with("nissa.toml:2:"));
}
