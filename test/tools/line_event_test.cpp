#include <doctest/doctest.h>
#include <unistd.h>

#include <thread>

#include "support/seed.hpp"
#include "tools/access_log.hpp"
#include "tools/json_line.hpp"
#include "tools/line_reader.hpp"
#include "tools/time_text.hpp"

namespace nissa::tools::test {
namespace {

using agent::Outcome;

TEST_CASE("times are read as they stand, with their offset") {
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_rfc3339("2025-06-15T13:46:40Z") == 1'749'995'200 * ns_per_s);
  CHECK(parse_rfc3339("2025-06-15 15:46:40.5+02:00") == 1'749'995'200 * ns_per_s + 500'000'000);
  CHECK(parse_rfc3339("2024-02-29T23:59:60.123456789123z") == 1'709'251'200 * ns_per_s + 123'456'789);
  CHECK(parse_rfc3339("2000-03-01T00:00:00-05:30") == (951'868'800 + 5 * 3'600 + 1'800) * ns_per_s);
  CHECK(parse_time_local("15/Jun/2025:15:46:40 +0200") == 1'749'995'200 * ns_per_s);
  for (const char* bad :
       {"", "2025-06-15", "2025-06-15T13:46:40", "2025-13-15T13:46:40Z", "2025-02-29T13:46:40Z", "2025-06-15T24:00:00Z",
        "2025-06-15T13:46:40.Z", "2025-06-15T13:46:40Zx", "2025-06-15T13:46:40+0200", "1969-12-31T23:59:59Z"})
    CHECK_FALSE(parse_rfc3339(bad).has_value());
  for (const char* bad : {"", "15/Jux/2025:15:46:40 +0200", "15/unJ/2025:15:46:40 +0200", "15/Jun/2025:15:46:40",
                          "32/Jan/2025:15:46:40 +0200", "15/Jun/2025:15:46:40 +02000"})
    CHECK_FALSE(parse_time_local(bad).has_value());
}

TEST_CASE("a JSON line with every key") {
  const auto event = parse_json_line(
      R"({"time": "2025-06-15T13:46:40Z", "duration_ms": 12.5, "outcome": "TIMEOUT", "service": "checkout",
          "operation": "POST /orders", "labels": {"region": "eu-1", "zone": "a"}, "request_id": "r-1"})");
  REQUIRE(event);
  CHECK(event->time_unix_ns == 1'749'995'200 * ns_per_s);
  CHECK(event->duration_ns == 12'500'000);
  CHECK(event->outcome == Outcome::timeout);
  CHECK(event->service == "checkout");
  CHECK(event->operation == "POST /orders");
  REQUIRE(event->labels.size() == 2);
  CHECK(event->labels[0] == std::pair<std::string, std::string>("region", "eu-1"));
  CHECK(event->request_id == "r-1");
}

TEST_CASE("a JSON line may leave everything out, and give times as numbers") {
  CHECK(parse_json_line("{}"));
  CHECK(parse_json_line(R"({"time": 1749995200})")->time_unix_ns == 1'749'995'200 * ns_per_s);
  CHECK(parse_json_line(R"({"time": 1749995200.25})")->time_unix_ns == 1'749'995'200 * ns_per_s + 250'000'000);
  CHECK(parse_json_line(R"({"duration_s": 2})")->duration_ns == 2 * ns_per_s);
  CHECK(parse_json_line(R"({"duration_ms": 0})")->duration_ns == 0);
}

TEST_CASE("a time of 0 is 1970, not an absent one") {
  CHECK(parse_json_line(R"({"time": 0})")->time_unix_ns == 0);
  CHECK(parse_json_line(R"({"time": "1970-01-01T00:00:00Z"})")->time_unix_ns == 0);
  CHECK_FALSE(parse_json_line("{}")->time_unix_ns.has_value());
}

TEST_CASE("texts come out whole however they are escaped") {
  CHECK(parse_json_line(R"({"service": "caf\u00e9 \"x\"", "labels": {"k\n": "v\\w"}})")->service == "café \"x\"");
  CHECK(parse_json_line(R"({"labels": {"k\n": "v\\w"}})")->labels[0] ==
        std::pair<std::string, std::string>("k\n", "v\\w"));
  CHECK(parse_json_line("  {\"service\": \"a\"}  ")->service == "a");
}

TEST_CASE("a JSON line that is not understood says which key") {
  const std::vector<std::pair<const char*, const char*>> bad{
      {"", "no JSON"},
      {"{\"service\": \"a\"", "no JSON"},
      {"[]", "object"},
      {R"({"service": 1})", "\"service\""},
      {R"({"latency": 1})", "\"latency\""},
      {R"({"duration_ms": -1})", "\"duration_ms\""},
      {R"({"duration_ms": "1"})", "\"duration_ms\""},
      {R"({"duration_ms": 1, "duration_s": 1})", "one of both"},
      {R"({"duration_s": 1e300})", "\"duration_s\""},
      {R"({"time": 1, "time": 2})", "\"time\" comes twice"},
      {R"({"service": "a", "serv\u0069ce": "b"})", "\"service\" comes twice"},
      {R"({"labels": {"a": "1", "a": "1"}})", "\"labels.a\" comes twice"},
      {R"({"labels": {}, "labels": {}})", "\"labels\" comes twice"},
      {R"({"labels": "a"})", "\"labels\": expected an object"},
      {R"({"labels": {"a": {}}})", "\"labels.a\""},
      {R"({"labels": {"a": []}})", "\"labels.a\""},
      {R"({"service": {}})", "\"service\": expected a text"},
      {R"({"service": ["a"]})", "\"service\": expected a text"},
      {R"({"time": null})", "\"time\""},
      {R"({} {})", "no JSON"},
      {R"("{}")", "object"},
      {"7", "object"},
      {R"({"time": -1})", "\"time\""},
      {R"({"time": 1e30})", "\"time\""},
      {R"({"time": "yesterday"})", "\"time\""},
      {R"({"outcome": "ok"})", "\"outcome\""},
      {R"({"labels": ["a"]})", "\"labels\""},
      {R"({"labels": {"a": 1}})", "\"labels.a\""},
      {"{\"service\": \"\xff\"}", "no JSON"}};
  for (const auto& [line, says] : bad) {
    CAPTURE(line);
    const auto event = parse_json_line(line);
    REQUIRE_FALSE(event);
    CHECK(event.error().message.find(says) != std::string::npos);
  }
}

TEST_CASE("an unknown key is told with the nearest known one, and with all that there are") {
  const auto why = [](const char* line) { return parse_json_line(line).error().message; };
  const std::string all = " (its keys: time, duration_ms, duration_s, outcome, service, operation, labels, request_id)";
  CHECK(why(R"({"status": 200})") == "\"status\" is no key of an event" + all);
  CHECK(why(R"({"servce": "a"})") == "\"servce\" is no key of an event; did you mean \"service\"?" + all);
  CHECK(why(R"({"duration_ns": 5})") == "\"duration_ns\" is no key of an event; did you mean \"duration_ms\"?" + all);
}

TEST_CASE("a time that cannot be seconds is told by the unit that it looks like") {
  for (const auto& [time, unit] : {std::pair{"1795908452000", "milliseconds"},
                                   {"1795908452000.5", "milliseconds"},
                                   {"1795908452000000", "microseconds"},
                                   {"1795908452000000000", "nanoseconds"}}) {
    CAPTURE(time);
    const auto event = parse_json_line(R"({"time": )" + std::string(time) + "}");
    REQUIRE_FALSE(event);
    CHECK(event.error().message ==
          "\"time\" looks like " + std::string(unit) + " since 1970: expected seconds, as 1749995200.25");
  }
  for (const char* time : {"99999999999", "-1795908452000", "1e30"}) {
    const auto event = parse_json_line(R"({"time": )" + std::string(time) + "}");
    REQUIRE_FALSE(event);
    CHECK(event.error().message.starts_with("\"time\": expected seconds since 1970"));
  }
}

constexpr const char* good_line =
    R"(10.0.0.1 - alice [15/Jun/2025:15:46:40 +0200] "GET /users/4711/orders?page=2 HTTP/1.1" 200 512 )"
    R"("-" "curl/7.88" rt=0.012)";

TEST_CASE("an access log line gives time, duration, outcome and operation") {
  const auto event = parse_access_line(good_line, {});
  REQUIRE(event);
  CHECK(event->time_unix_ns == 1'749'995'200 * ns_per_s);
  CHECK(event->duration_ns == 12'000'000);
  CHECK(event->outcome == Outcome::ok);
  CHECK(event->operation == "GET /users/:id/orders");
  CHECK(event->service.empty());
}

TEST_CASE("what clients choose, as nginx escapes it, cannot make a line unreadable nor move its fields") {
  const std::string line = good_line;
  const auto with = [&line](const std::string& from, const std::string& to) {
    std::string changed = line;
    return parse_access_line(changed.replace(changed.find(from), from.size(), to), {});
  };
  for (const char* user : {"a [b", "x [01/Jan/2020:00:00:00 +0000] \\x22GET / HTTP/1.1\\x22 500 1", "\\x5B ]"}) {
    CAPTURE(user);
    const auto event = with("alice", user);
    REQUIRE(event);
    CHECK(event->time_unix_ns == 1'749'995'200 * ns_per_s);
    CHECK(event->outcome == Outcome::ok);
  }
  const auto agent_lies = with("curl/7.88", "evil rt=99 [x] \\x22 500 rt=1");
  REQUIRE(agent_lies);
  CHECK(agent_lies->duration_ns == 12'000'000);
  CHECK(agent_lies->outcome == Outcome::ok);
  CHECK(with("GET /users/4711/orders?page=2 HTTP/1.1", "GET /a\\x22 500 HTTP/1.1")->outcome == Outcome::ok);
  // Without a request time of the server's own, a client's is not taken.
  CHECK_FALSE(parse_access_line(R"(- - - [15/Jun/2025:15:46:40 +0200] "GET / HTTP/1.1" 200 1 "-" "x rt=0.001")", {}));
}

TEST_CASE("the status decides the outcome") {
  const std::vector<std::pair<int, Outcome>> all{
      {200, Outcome::ok},    {304, Outcome::ok},    {404, Outcome::client_error}, {499, Outcome::cancelled},
      {500, Outcome::error}, {502, Outcome::error}, {504, Outcome::timeout},      {101, Outcome::ok}};
  for (const auto& [status, outcome] : all) CHECK(outcome_of_status(status) == outcome);
}

TEST_CASE("a line without the request time is refused by name, and so is whatever is not such a line") {
  const std::string line = good_line;
  const auto no_time = parse_access_line(line.substr(0, line.find(" rt=")), {});
  REQUIRE_FALSE(no_time);
  CHECK(no_time.error().message.find("rt=$request_time") != std::string::npos);
  for (const std::size_t size : {0U, 5U, 20U, 40U, 60U, 90U}) CHECK_FALSE(parse_access_line(line.substr(0, size), {}));
  const auto with = [&line](const std::string& from, const std::string& to) {
    std::string changed = line;
    return parse_access_line(changed.replace(changed.find(from), from.size(), to), {});
  };
  CHECK_FALSE(with("rt=0.012", "rt=-"));
  CHECK_FALSE(with("rt=0.012", "rt=-1"));
  CHECK_FALSE(with(" 200 ", " 20 "));
  CHECK_FALSE(with("Jun", "Jux"));
  CHECK(with("GET /users/4711/orders?page=2 HTTP/1.1", "\\x16\\x03\\x01")->operation == "(unreadable request)");
  CHECK(with("GET /users/4711/orders?page=2 HTTP/1.1", "")->operation == "(unreadable request)");
  CHECK(with("GET /users/4711/orders?page=2 HTTP/1.1", "GET  HTTP/1.1")->operation == "(unreadable request)");
}

TEST_CASE("operations: numbers and UUIDs are hidden, rules come first, in order") {
  OperationNames names;
  CHECK(names.name("GET", "/") == "GET /");
  CHECK(names.name("GET", "/a/12/b/550e8400-e29b-41d4-a716-446655440000/?x=1#y") == "GET /a/:id/b/:id/");
  CHECK(names.name("GET", "/a/507f1f77bcf86cd799439011/b/4bf92f3577b34da6a3ce929d0e0e4736") == "GET /a/:id/b/:id");
  CHECK(names.name("GET", "/a/deadbeefdeadbeef/b/507f1f77bcf86cd") == "GET /a/deadbeefdeadbeef/b/507f1f77bcf86cd");
  CHECK(names.name("GET", "//a///12//") == "GET /a/:id/");
  CHECK(names.name("GET", "/cart;jsessionid=A1B2/7;v=1?x") == "GET /cart/:id");
  CHECK(names.name("GET", "http://shop.example:80/a/12?b") == "GET /a/:id");
  CHECK(names.name("GET", "https://shop.example") == "GET /");
  CHECK(names.name("GET", "/login?next=http://x/1") == "GET /login");
  CHECK(names.name("GET", "/a%2Fb/%31%32") == "GET /a%2Fb/%31%32");
  CHECK(names.name("OPTIONS", "*") == "OPTIONS *");
  CHECK(names.name("GET", "/v2/a12/550e8400-e29b-41d4-a716-44665544000g") ==
        "GET /v2/a12/550e8400-e29b-41d4-a716-44665544000g");
  CHECK(names.name("GET", "/" + std::string(1'000, 'a')).size() == 256);
  for (std::size_t shift = 0; shift < 4; ++shift) {  // never in the middle of a character
    std::string path(shift, 'a');
    while (path.size() < 400) path += "\u20ac";
    const std::string name = names.name("GET", "/" + path);
    CHECK(name.size() > 252);
    CHECK((name.size() - 5 - shift) % 3 == 0);
  }
  REQUIRE(names.add_rule("^GET /static/=assets"));
  REQUIRE(names.add_rule("^(GET|HEAD) /shop/([a-z]+)=$1 shop $2"));
  REQUIRE(names.add_rule("a==b"));
  CHECK(names.name("GET", "/static/x.css?v=3") == "assets");
  CHECK(names.name("HEAD", "/shop/cart/5") == "HEAD shop cart");
  CHECK(names.name("PUT", "/shop/5") == "PUT /shop/:id");
  CHECK(names.name("PUT", "/a=") == "b");
  for (const char* bad : {"", "x", "=x", "x=", "(=x"}) CHECK_FALSE(names.add_rule(bad));
}

TEST_CASE("an expression that would need for ever counts as not found") {
  OperationNames names;
  REQUIRE(names.add_rule("^GET (/a*)*$=slow"));
  CHECK(names.name("GET", "/" + std::string(5'000, 'a') + "!").starts_with("GET /aaa"));
}

// What a reader makes of `text`, written in pieces.
std::vector<std::string> read_lines(const std::string& text, std::size_t piece, std::size_t longest) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::thread writer([&] {
    for (std::size_t at = 0; at < text.size(); at += piece)
      if (write(ends[1], text.data() + at, std::min(piece, text.size() - at)) < 0) break;
    close(ends[1]);
  });
  std::vector<std::string> lines;
  const std::atomic<bool> stop{false};
  LineReader reader(ends[0], stop, longest);
  std::string_view line;
  for (;;) {
    const auto got = reader.next(line);
    if (got == LineReader::Got::end) break;
    if (got == LineReader::Got::line) lines.emplace_back(line);
    if (got == LineReader::Got::too_long) lines.push_back("too long: " + std::to_string(reader.number()));
  }
  writer.join();
  close(ends[0]);
  return lines;
}

TEST_CASE("lines come out whole however they were written; long ones are told once and skipped") {
  const std::string text = "one\r\n\ntwo\n" + std::string(500, 'x') + "\nfour\n" + std::string(100, 'y') + "\nlast";
  const std::vector<std::string> expected{"one", "", "two", "too long: 4", "four", std::string(100, 'y'), "last"};
  for (const std::size_t piece : {1U, 2U, 3U, 50U, 99U, 1'000U}) {
    CAPTURE(piece);
    CHECK(read_lines(text, piece, 100) == expected);
  }
  CHECK(read_lines("", 1, 100).empty());
  CHECK(read_lines(std::string(300, 'z'), 7, 100) == std::vector<std::string>{"too long: 1"});
}

TEST_CASE("once told to stop, whole lines in hand come, then the one that was cut off, and nothing more is read") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::atomic<bool> stop{false};
  LineReader reader(ends[0], stop, 100);
  std::string_view line;
  REQUIRE(write(ends[1], "one\ntwo\nthr", 11) == 11);
  CHECK(reader.next(line) == LineReader::Got::line);
  stop = true;
  REQUIRE(write(ends[1], "ee\n", 3) == 3);
  CHECK(reader.next(line) == LineReader::Got::line);
  CHECK(line == "two");
  CHECK(reader.next(line) == LineReader::Got::cut_off);
  CHECK(reader.number() == 3);
  CHECK(reader.next(line) == LineReader::Got::end);
  CHECK(reader.next(line) == LineReader::Got::end);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("without input a reader comes back as often as it was asked to, and no line is lost by it") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const std::atomic<bool> stop{false};
  LineReader reader(ends[0], stop, 100);
  reader.idle_after(0);
  std::string_view line;
  CHECK(reader.next(line) == LineReader::Got::idle);
  REQUIRE(write(ends[1], "on", 2) == 2);
  CHECK(reader.next(line) == LineReader::Got::idle);
  REQUIRE(write(ends[1], "e\n", 2) == 2);
  CHECK(reader.next(line) == LineReader::Got::line);
  CHECK(line == "one");
  close(ends[1]);
  CHECK(reader.next(line) == LineReader::Got::end);
  close(ends[0]);
}

TEST_CASE("mangled lines are refused or understood, but never worse") {
  auto random = nissa::test::random_for(41);
  const std::string json = R"({"time": 1749995200.25, "duration_ms": 3, "labels": {"a": "b"}, "service": "s"})";
  for (int round = 0; round < 3'000; ++round) {
    std::string line = round % 2 == 0 ? json : good_line;
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) line[random() % line.size()] = static_cast<char>(random());
    (void)parse_json_line(line);
    (void)parse_access_line(line, {});
  }
}

}  // namespace
}  // namespace nissa::tools::test
