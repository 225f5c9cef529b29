#include "tools/send_report.hpp"

#include <doctest/doctest.h>

#include "tools/event_lines.hpp"

namespace nissa::tools::test {
namespace {

SendOptions options_of(std::vector<const char*> words) {
  Arguments arguments(words);
  return send_options(arguments);
}

TEST_CASE("the summary names what the server did not take by its faults, and the exit code says the worst") {
  SendOutcome outcome;
  outcome.lines = 10;
  outcome.stats.counted = 9;
  CHECK(send_exit_code(outcome) == 0);
  outcome.stats.rejected = 3;
  outcome.stats.rejected_by[1] = 2;
  outcome.stats.rejected_by[6] = 1;
  CHECK(send_exit_code(outcome) == 1);
  CHECK(send_summary(outcome).find("; not taken: 2 too_old, 1 match_sets_full") != std::string::npos);
  outcome.stats.uncertain = 1;
  CHECK(send_exit_code(outcome) == 3);
  outcome.stats.uncertain = 0;
  outcome.missing = 1;
  CHECK(send_exit_code(outcome) == 3);
  CHECK(send_summary(outcome).find("; 1 file or part of a file not found") != std::string::npos);
  outcome.missing = 0;
  outcome.following = true;
  outcome.kept = 7;
  CHECK(send_exit_code(outcome) == 1);
  CHECK(send_summary(outcome).find("7 events kept for the next start") != std::string::npos);
}

TEST_CASE("one of a thing is not told as many") {
  SendOutcome outcome;
  outcome.following = true;
  const auto with = [&outcome](std::uint64_t number) {
    outcome.lines = outcome.bad_lines = outcome.kept = outcome.missing = number;
    outcome.stats.counted = outcome.stats.batches_resent = outcome.stats.connections_lost = number;
    return send_summary(outcome);
  };
  CHECK(with(1) ==
        "1 line, 1 not understood; 1 event acknowledged, of them 0 not taken by the server; 0 refused, 0 uncertain, 0 "
        "not sent; 1 batch resent, 1 connection lost; 1 event kept for the next start; 1 file or part of a file not "
        "found");
  CHECK(with(0).starts_with("0 lines, 0 not understood; 0 events acknowledged"));
  CHECK(
      with(2).ends_with("2 batches resent, 2 connections lost; 2 events kept for the next start; 2 files or parts of "
                        "files not found"));
}

TEST_CASE("progress is shown at most four times a second, with the rate of late") {
  SendProgress progress;
  BootNs now = 0;
  CHECK(progress.line({0, 0, 0, {}}, now) == "0 lines, 0 events acknowledged, 0 in flight, 0/s");
  CHECK_FALSE(progress.line({5, 5, 0, {}}, now + 249 * ns_per_ms));
  int shown = 0;
  std::optional<std::string> last;
  for (std::uint64_t i = 1; i <= 1'000; ++i) {  // 1 000 events a second
    now += 10 * ns_per_ms;
    if (auto line = progress.line({i * 10, i * 10, 3, 12'345'678}, now)) {
      ++shown;
      last = line;
    }
  }
  CHECK(shown == 40);
  REQUIRE(last);
  CHECK(*last == "10000 lines, 10000 events acknowledged, 3 in flight, 999/s, 11.7 MiB behind");
}

TEST_CASE("what bears on the meaning of a line is told apart, and nothing else") {
  const auto meaning = [](std::vector<const char*> words) { return meaning_of(options_of(words)); };
  const std::vector<std::vector<const char*>> different{{},
                                                        {"--service", "a"},
                                                        {"--label", "a=b"},
                                                        {"--label", "ab="},
                                                        {"--operation", "a=b"},
                                                        {"--operation", "a=b", "--operation", "c=d"},
                                                        {"--operation", "c=d", "--operation", "a=b"},
                                                        {"--format", "json"}};
  for (std::size_t i = 0; i < different.size(); ++i)
    for (std::size_t j = 0; j < different.size(); ++j)
      CHECK((meaning(different[i]) == meaning(different[j])) == (i == j));
  CHECK(meaning({"--drain", "5", "--priority", "low", "--agent", "x", "--batch-age-ms", "7"}) == meaning({}));
}

TEST_CASE("a body is a function of the bytes and the options: no time of its own is put into it") {
  const SendOptions options = options_of({"--service", "shop", "--label", "region=eu"});
  Bytes first, second;
  REQUIRE(append_event_of(R"({"operation": "a"})", options, first));
  REQUIRE(append_event_of(R"({"operation": "a"})", options, second));
  CHECK(first == second);
  CHECK(first[2] == 0x42);  // behind tag and length comes the service: no time before it
  CHECK_FALSE(append_event_of(R"({"request_id": ")" + std::string(65, 'x') + "\"}", options, first));
  CHECK(first == second);
}

TEST_CASE("without a format, a line that looks like neither is told so; with one, it is told what that format misses") {
  const auto why = [](const std::string& line, std::vector<const char*> words = {}) {
    words.insert(words.end(), {"--service", "shop"});
    const auto event = understand(line, options_of(words));
    return event ? std::string() : event.error().message;
  };
  for (const char* line : {"GET / 200", "[1, 2]", "\"{}\"", "- [a] b \"c\"", "status=200"}) {
    CAPTURE(line);
    CHECK(why(line).starts_with("is neither a JSON object (which begins with {) nor an access log line"));
    CHECK(why(line, {"--format", "json"}).find("access log") == std::string::npos);
    CHECK(why(line, {"--format", "nginx"}).find("JSON") == std::string::npos);
  }
  CHECK(why(" {\"a\": 1}").starts_with("\"a\" is no key"));
  CHECK(why("- - - [yesterday] \"GET / HTTP/1.1\" 200") == "[yesterday] is no $time_local");
}

TEST_CASE("a line beyond the limits says which text, and which limit") {
  const SendOptions options = options_of({});
  const auto why = [&options](const std::string& line) {
    const auto event = understand(line, options);
    return event ? std::string() : event.error().message;
  };
  const std::string long_text(257, 'x');
  CHECK(why("{}") == "names no service, and there is no --service NAME");
  CHECK(why(R"({"service": ")" + long_text + "\"}") == "the service is longer than 256 bytes");
  CHECK(why(R"({"service": "a", "operation": ")" + long_text + "\"}") == "the operation is longer than 256 bytes");
  CHECK(why(R"({"service": "a", "labels": {"k": ")" + long_text + "\"}}") == "the label k is longer than 256 bytes");
  CHECK(why(R"({"service": "a", "request_id": ")" + std::string(65, 'x') + "\"}") ==
        "request_id is longer than 64 bytes");
}

}  // namespace
}  // namespace nissa::tools::test
