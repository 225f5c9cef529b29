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
  CHECK(result.problems[0] ==
        "nissa.toml:13:1: unknown key slo[1].treshold of checkout; did you mean slo[1].threshold?");
}

TEST_CASE("all problems of a file are told at once") {
  const Read result =
      read("[[slo]]\nname = \"a b\"\nsli = \"latencyy\"\nobjective = \"100 %\"\n[[slo]]\nname = \"x\"\n");
  CHECK(says(result, "nissa.toml:2:8: slo[1].name: expected 1 to 256 letters"));
  CHECK(says(result, "did you mean \"latency\"?"));
  CHECK(says(result, "slo[1].objective"));
  CHECK(says(result, "slo[2].sli of x: is missing"));
  CHECK(says(result, "slo[2].objective of x: is missing"));
}

TEST_CASE("a latency SLI needs a threshold with a unit, an availability SLI has none") {
  CHECK(says(read(without(whole, "threshold")), "slo[1].threshold of checkout: is missing"));
  std::string bare = whole;
  bare.replace(bare.find("\"300ms\""), 7, "300");
  CHECK(says(read(bare), "expected a string with a unit"));
  std::string availability = whole;
  availability.replace(availability.find("\"latency\""), 9, "\"availability\"");
  CHECK(says(read(availability), "slo[1].threshold of checkout: belongs to sli = \"latency\" only"));
  CHECK(says(read(availability), "slo[1].failures of checkout: belongs to sli = \"latency\" only"));
}

TEST_CASE("a list of what is good is refused where a latency SLI does not ask for it") {
  CHECK(read(without(whole, "good")).problems.empty());
  const std::string refused = "nissa.toml:9:8: slo[1].good of checkout: has no effect here";
  std::string ignored = whole;
  ignored.replace(ignored.find("\"bad\""), 5, "\"ignored\"");
  CHECK(says(read(ignored), refused));
  CHECK(read(without(ignored, "good")).problems.empty());
  CHECK(says(read(without(whole, "failures")), "slo[1].good of checkout: has no effect here"));
}

TEST_CASE("an objective bears its % sign, and without it the percentage that was probably meant is told") {
  const auto problem = [](const std::string& objective) {
    std::string text = whole;
    text.replace(text.find("99.95 %"), 7, objective);
    const Read result = read(text);
    REQUIRE(result.problems.size() == 1);
    return result.problems[0];
  };
  const std::string missing = " has no % sign; expected a percentage, for example \"99.9 %\"";
  for (const auto& [written, meant] : std::vector<std::pair<std::string, std::string>>{
           {"0.999", "99.9"}, {"0.9995", "99.95"}, {"0.5", "50"}, {"99.9", "99.9"}, {"1", "1"}, {"99.990", "99.99"}})
    CHECK(problem(written) == "nissa.toml:11:13: slo[1].objective of checkout: \"" + written + '"' + missing +
                                  "; did you mean \"" + meant + " %\"?");
  for (const char* unread : {"three nines", "1000", "100", "", "0.999999999"})
    CHECK_MESSAGE(problem(unread).ends_with('"' + std::string(unread) + '"' + missing), problem(unread));
  CHECK(problem("99,9 %").ends_with("expected a percentage as a plain decimal, for example \"99.9 %\""));
  std::string close = whole;
  close.replace(close.find("99.95 %"), 7, "99.95%");
  CHECK(read(close).problems.empty());
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
