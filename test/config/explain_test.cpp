#include "config/explain.hpp"

#include <doctest/doctest.h>

#include "config/config_page.hpp"
#include "config/load_config.hpp"
#include "config/slo_words.hpp"
#include "config/warnings.hpp"

using namespace nissa;
using namespace nissa::config;

namespace {

std::string slo_named(const std::string& name, const std::string& more) {
  std::string text = "[[slo]]\nname = \"" + name + "\"\n" + more + "\n";
  if (more.find("sli = ") == more.npos) text += "sli = \"availability\"\n";
  if (more.find("objective = ") == more.npos) text += "objective = \"99.9 %\"\n";
  return text;
}
Config read(const std::string& text) {
  auto config = read_config(text, "nissa.toml", std::uint64_t{1} << 50);
  REQUIRE_MESSAGE(config.has_value(), (config ? std::string() : config.error().front()));
  return *config;
}
std::vector<std::string> warned(const std::string& text) {
  std::vector<std::string> all;
  for (const Warning& one : warnings_of(read(text)))
    all.push_back((one.slo == Warning::whole_file ? "" : std::to_string(one.slo) + ": ") + one.message);
  return all;
}
std::string warning_of(const std::string& more) {
  const auto all = warned(slo_named("a", more));
  REQUIRE(all.size() <= 1);
  return all.empty() ? "" : all[0];
}
std::string budget(const std::string& objective, std::int64_t days) {
  return budget_in_words(*slo::Objective::parse(objective), days * 86'400'000);
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a selector is said in words: any, one, or those like it") {
  CHECK(selector_in_words({}) == "any service, any operation");
  CHECK(selector_in_words({"shop", "GET *", {{"region", "eu-*"}, {"tier", "gold"}, {"user", "*"}}}) ==
        "service \"shop\", operations like \"GET *\", label region like \"eu-*\", label tier \"gold\", label user");
}

TEST_CASE("what is good is said as the verdicts are, with and without durations") {
  slo::Criterion criterion;
  CHECK(criterion_in_words(criterion) == "good: OK, CLIENT_ERROR; bad: ERROR, TIMEOUT; not counted: CANCELLED");
  criterion.kind = slo::SliKind::latency;
  criterion.threshold_ns = 300'000'000;
  CHECK(criterion_in_words(criterion) ==
        "good: OK up to 300ms; bad: OK above 300ms; not counted: OK without a duration, ERROR, TIMEOUT, CLIENT_ERROR, "
        "CANCELLED");
  criterion.failures = slo::Failures::bad;
  criterion.ignore = {};
  CHECK(criterion_in_words(criterion) ==
        "good: OK up to 300ms, CLIENT_ERROR up to 300ms; bad: OK above 300ms, ERROR, TIMEOUT, CLIENT_ERROR above "
        "300ms, CANCELLED; not counted: OK without a duration, CLIENT_ERROR without a duration");
}

TEST_CASE("a budget is said in time and in events") {
  CHECK(budget("99.9", 30) == "43.2 min of total outage, or 1 bad event in 1000 (1000 of a million)");
  CHECK(budget("99.99", 30) == "4.32 min of total outage, or 1 bad event in 10000 (100 of a million)");
  CHECK(budget("99.999999", 1) == "0.864 ms of total outage, or 1 bad event in 100000000 (0.01 of a million)");
  CHECK(budget("99.7", 28) == "2.02 h of total outage, or 1 bad event in 333 (3000 of a million)");
  CHECK(budget("50", 30) == "15 d of total outage, or 1 bad event in 2 (500000 of a million)");
  CHECK(budget("10", 30) == "27 d of total outage, or 1 bad event in 1.11 (900000 of a million)");
}

TEST_CASE("a period that is no multiple of its steps is counted as up to a step more, and the words say so") {
  CHECK(period_in_words(30LL * 86'400'000) == "30d, its begin moves in steps of 1h");
  CHECK(period_in_words(86'400'000) == "1d, its begin moves in steps of 5min");
  const auto of_steps = [](const std::string& period) {
    const auto all = warned(slo_named("a", "period = \"" + period + '"'));
    return all.size() < 2 ? "" : all.back();
  };
  CHECK(of_steps("73h").empty());
  CHECK(of_steps("4321min") == "0: the period of 4321min is counted in steps of 1h, so as up to 73h");
  CHECK(of_steps("1441min") == "0: the period of 1441min is counted in steps of 5min, so as up to 1445min");
}

TEST_CASE("an SLO that nothing can match is warned of, with the reason") {
  CHECK(warning_of("service = \"\"") == "0: nothing can match: an event without a service is never counted");
  CHECK(warning_of("operation = \"" + std::string(257, 'o') + "\"") ==
        "0: nothing can match: it asks for a name longer than max_name = 256 B");
  CHECK(warning_of("service = \"*" + std::string(256, '?') + "*\"").empty());
  CHECK(warned("[ingest]\nmax_labels = 1\n" + slo_named("a", "labels = { a = \"1\", b = \"*\" }"))[0] ==
        "0: nothing can match: it asks for 2 labels, and max_labels is 1");
  CHECK(warning_of("operation = \"\"").empty());
  CHECK(warning_of("labels = { a = \"\" }").empty());
}

TEST_CASE("an SLO whose verdict is foregone is warned of") {
  CHECK(warning_of("good = []") == "0: no event can be good");
  CHECK(warning_of("good = [\"OK\", \"ERROR\", \"TIMEOUT\", \"CLIENT_ERROR\"]") == "0: no event can be bad");
  CHECK(warning_of("ignore = [\"OK\", \"ERROR\", \"TIMEOUT\", \"CLIENT_ERROR\", \"CANCELLED\"]") ==
        "0: no event is counted: every outcome is ignored");
  CHECK(warning_of("sli = \"latency\"\nthreshold = \"1s\"\nignore = [\"OK\"]") ==
        "0: no event is counted: every outcome is ignored");
  CHECK(warning_of("sli = \"latency\"\nthreshold = \"1s\"").empty());
}

TEST_CASE("an SLO that the shipped alerts do not fit is warned of, with those that can never fire") {
  CHECK(warning_of("period = \"7d\"") ==
        "0: the burn-rate alerts of deploy/prometheus/nissa.rules.yml judge SLOs of 30d alone, and this one is of 7d: "
        "docs/slo.md has tiers to copy");
  CHECK(warning_of("period = \"720h\"").empty());
  const auto silent = [](const std::string& objective) {
    const std::string warning = warning_of("objective = \"" + objective + " %\"");
    const auto begin = warning.find("tier ") + 5;
    return warning.empty() ? "" : warning.substr(begin, warning.find(" can never fire") - begin);
  };
  // 1 - 1 / 14.4 = 93.0555..., 1 - 1 / 6 = 83.3333..., 1 - 1 / 3 = 66.6666... %
  for (const auto& [objective, tiers] : std::vector<std::pair<std::string, std::string>>{{"99.9", ""},
                                                                                         {"93.055556", ""},
                                                                                         {"93.055555", "1h"},
                                                                                         {"83.333334", "1h"},
                                                                                         {"83.333333", "1h, 6h"},
                                                                                         {"66.666667", "1h, 6h"},
                                                                                         {"66.666666", "1h, 6h, 1d"},
                                                                                         {"0.000001", "1h, 6h, 1d"}})
    CHECK_MESSAGE(silent(objective) == tiers, objective);
  CHECK(warning_of("objective = \"90 %\"") ==
        "0: of the alerts of deploy/prometheus/nissa.rules.yml those of tier 1h can never fire: even if all fails, the "
        "budget of 90 % is too large");
}

TEST_CASE("a blank that nobody sees at an end of a name is warned of") {
  for (const char* key : {"service", "operation"}) {
    for (const char* text : {"shop ", " shop", "shop* ", " "})
      CHECK(warning_of(key + std::string(" = \"") + text + '"') ==
            "0: " + std::string(key) + " begins or ends with a blank: a name without it does not match");
    CHECK(warning_of(key + std::string(" = \"a shop\"")).empty());
  }
  CHECK(warning_of("labels = { region = \"eu \" }") ==
        "0: labels begins or ends with a blank: a name without it does not match");
}

TEST_CASE("the same SLI under two names is warned of; the same selector with another SLI is not") {
  CHECK(warned(slo_named("a", "service = \"x\"") + slo_named("b", "service = \"x\"\nobjective = \"99 %\"")) ==
        std::vector<std::string>{"1: counts the same events in the same way as a"});
  CHECK(warned(slo_named("a", "service = \"x\"") +
               slo_named("b", "service = \"x\"\nsli = \"latency\"\nthreshold = \"1s\""))
            .empty());
  CHECK(
      warned(slo_named("a", "labels = { x = \"1\", y = \"2\" }") + slo_named("b", "labels = { y = \"2\", x = \"1\" }"))
          .size() == 1);
}

TEST_CASE("an SLO whose events belong to 64 SLOs before it already is warned of, and no other") {
  std::string text;
  for (int i = 0; i < 63; ++i)
    text += slo_named("s" + std::to_string(i),
                      "service = \"s?op*\"\nobjective = \"99 %\"\nperiod = \"30d\"\nsli = \"latency\"\nthreshold = \"" +
                          std::to_string(i + 1) + "ms\"");
  text += slo_named("any", "");
  CHECK(warned(text).empty());
  text += slo_named("last", "service = \"shop\"\noperation = \"GET\"");
  text += slo_named("other", "service = \"stop\"");
  text += slo_named("elsewhere", "service = \"bank\"");
  CHECK(warned(text) == std::vector<std::string>{
                            "64: an event of service \"shop\", operation \"GET\" belongs to 65 SLOs; it is counted for "
                            "the first 64 of the file, and this one comes after them",
                            "65: an event of service \"stop\", operation \"x\" belongs to 65 SLOs; it is counted for "
                            "the first 64 of the file, and this one comes after them"});
}

TEST_CASE("many globs over services are warned of once") {
  std::string text;
  for (int i = 0; i < 100; ++i)
    text += slo_named("s" + std::to_string(i), "service = \"a" + std::to_string(i) + "-*\"");
  CHECK(warned(text).empty());
  const auto all = warned(text + slo_named("more", "service = \"b*\""));
  REQUIRE(all.size() == 1);
  CHECK(all[0].starts_with("101 SLOs have a glob for their service"));
}

TEST_CASE("the explanation has each SLO, the limits, the memory with its sum, and what was given") {
  const Config config =
      read("state_dir = \"s\"\n[ingest]\nmax_connections = 5000\n" + slo_named("shop", "service = \"shop\"") +
           slo_named("none", "service = \"\"") + slo_named("again", "service = \"\""));
  const std::string text =
      explain(config, {.memory_limit_bytes = std::uint64_t{1} << 30, .connections = 922, .http_connections = 230});
  CAPTURE(text);
  CHECK(text.starts_with(
      "nissa.toml: 3 SLOs, nothing wrong, 3 warnings\n\nshop\n  matches       service \"shop\", any "
      "operation\n  counts        good: OK, CLIENT_ERROR; bad: ERROR, TIMEOUT; not counted: CANCELLED\n"
      "  objective     99.9 % over 30d, its begin moves in steps of 1h\n"
      "  budget        43.2 min of total outage, or 1 bad event in 1000 (1000 of a million)\n\nnone\n"));
  CHECK(has(text, "\n  warning: nothing can match: an event without a service is never counted\n\nagain\n"));
  CHECK(has(
      text,
      "  connections   922 of agents over TCP (ingest.max_connections is 5000, but the limit of file descriptors bears "
      "no more: LimitNOFILE=, ulimit -n), 230 over HTTP (ingest.max_http_connections, "
      "at most a quarter of the former), 64 of operators\n"));
  CHECK(has(text, "  a batch       1 MiB and 1000 events"));
  CHECK(has(text, "  a sender      16 MiB in hand, and of class critical 2048 KiB beside it"));
  CHECK(has(text, "low 32 MiB, normal 51 MiB, high 61 MiB, critical 64 MiB and a reserve of 8192 KiB"));
  CHECK(has(text, "\n  64 MiB        gate.ingest_bytes\n"));
  CHECK(has(text, "\n  483 MiB       in all, of a limit of 1024 MiB, of which 80 % may be configured\n"));
  CHECK(has(text, "\n  state_dir = \"s\"\n  ingest.max_connections = 5000\n"));
}

TEST_CASE("one SLO with one warning is not told as many") {
  const std::string text = explain(read(slo_named("none", "service = \"\"")), {});
  CAPTURE(text);
  CHECK(text.starts_with("nissa.toml: 1 SLO, nothing wrong, 1 warning\n"));
}

TEST_CASE("the page shows every setting with the value that holds, which were given, the SLOs, and no secret") {
  const std::string text =
      "[gate]\ningest_bytes = \"65536 KiB\"\n" + slo_named("shop", "service = \"shop\"\nperiod = \"36h\"");
  const std::string page = config_page(read(text), 1'764'000'000'123);
  CAPTURE(page);
  CHECK(page.starts_with(R"({"file":"nissa.toml","sha256":")"));
  CHECK(has(page, R"(","loaded_ms":1764000000123,)"));
  CHECK(has(page, "\n\"settings\":{\"state_dir\":\"nissa-state\",\n\"listen\":{\"tcp\":\"127.0.0.1:7440\","));
  CHECK(has(page, "\"gate\":{\"ingest_bytes\":\"64 MiB\",\"critical_bytes\":\"8 MiB\",\"sender_percent\":25,"));
  CHECK(has(page,
            "\n\"given\":[\"gate.ingest_bytes\"],\n\"slos\":[\n{\"name\":\"shop\",\"objective\":\"99.9 %\","
            "\"objective_ratio\":0.999,\"period\":\"36h\",\"sli\":{\"kind\":\"availability\","));
}
