// The HTTP server over connections in memory: the hand turns its time-outs.
#include "net/http_server.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <stdexcept>
#include <string>

#include "net/connection.hpp"
#include "support/hand_loop.hpp"
#include "support/memory_stream.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::net;
using nissa::test::HandLoop;

namespace {

Task<HttpResponse> hello(HttpRequest request) { co_return http_text("hello " + std::string(request.parameter("who"))); }
Task<HttpResponse> echo(HttpRequest request) { co_return http_text(request.body); }
Task<HttpResponse> large(HttpRequest) { co_return http_text(std::string(1'000'000, 'x')); }
Task<HttpResponse> throws(HttpRequest) {
  throw std::runtime_error("handler");
  co_return HttpResponse{};
}
Task<std::expected<HttpAdmission, HttpResponse>> only_with_key(const HttpRequest& request) {
  if (request.header("Nissa-Key").empty()) co_return std::unexpected(http_error(503, "overloaded", "no room", "later"));
  co_return HttpAdmission{.max_body = 10, .held = std::make_shared<std::string>("room")};
}
Task<HttpResponse> with_what_is_held(HttpRequest request) {
  co_return http_text(request.body + " in " + *std::static_pointer_cast<std::string>(request.held));
}

std::vector<HttpRoute> routes() {
  return {{.method = "GET", .pattern = "/hello/{who}", .handle = hello},
          {.method = "POST", .pattern = "/echo", .handle = echo, .max_body = 1000},
          {.method = "POST", .pattern = "/gated", .handle = with_what_is_held, .on_head = only_with_key},
          {.method = "GET", .pattern = "/large", .handle = large},
          {.method = "GET", .pattern = "/throws", .handle = throws}};
}

Task<void> read_all(std::shared_ptr<ByteStream> stream, std::string& into, bool& ended) {
  Bytes buffer(4096);
  for (;;) {
    const auto size = co_await stream->read_some(buffer);
    if (!size) break;
    into.append(as_text({buffer.data(), *size}));
  }
  ended = true;
}
Task<void> write_all(std::shared_ptr<ByteStream> stream, std::string bytes) {
  (void)co_await stream->write(as_bytes(bytes));
}

// One connection to a server: say() sends, heard is what came back.
struct Talk {
  explicit Talk(test::LinkOptions link = {.seed = nissa::test::seed(), .longest_piece = 50}, bool reads = true)
      : server(hand.loop, hand.timers, hand.clock, {}, routes(), counters), pair(memory_pair(hand.timers, link)) {
    const Strand strand(hand.loop);
    spawn_on(strand, server.serve({pair.far, {.text = "memory"}, strand}));
    if (reads) hand.loop.spawn(read_all(pair.near, heard, ended));
    hand.settle();
  }
  ~Talk() {
    pair.near->close();
    hand.settle();
  }
  std::string& say(const std::string& bytes) {
    hand.loop.spawn(write_all(pair.near, bytes));
    hand.settle();
    return heard;
  }
  bool heard_status(int status) const { return heard.starts_with("HTTP/1.1 " + std::to_string(status) + " "); }

  HandLoop hand;
  HttpCounters counters;
  HttpServer server;
  test::MemoryPair pair;
  std::string heard;
  bool ended = false;
};

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("a request is answered and the connection goes on") {
  Talk talk;
  talk.say("GET /hello/world HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(talk.heard_status(200));
  CHECK(talk.heard.ends_with("\r\n\r\nhello world"));
  CHECK(!talk.ended);
  talk.heard.clear();
  CHECK(talk.say("GET /hello/again HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("hello again"));
  CHECK(talk.counters.requests.value() == 2);
}

TEST_CASE("pipelined requests are answered in their order") {
  Talk talk;
  talk.say(
      "GET /hello/a HTTP/1.1\r\nHost: a\r\n\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nbbGET "
      "/hello/c HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(count(talk.heard, "HTTP/1.1 200 OK") == 3);
  CHECK(talk.heard.find("hello a") < talk.heard.find("\r\n\r\nbb"));
  CHECK(talk.heard.find("\r\n\r\nbb") < talk.heard.find("hello c"));
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection after the answer") {
  for (const auto* request :
       {"GET /hello/w HTTP/1.0\r\n\r\n", "GET /hello/w HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    Talk talk;
    CHECK(talk.say(request).find("Connection: close") != std::string::npos);
    CHECK(talk.ended);
  }
}

TEST_CASE("HEAD says what GET would, without the body") {
  Talk talk;
  talk.say("HEAD /large HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(talk.heard.find("Content-Length: 1000000\r\n") != std::string::npos);
  CHECK(talk.heard.ends_with("\r\n\r\n"));
}

TEST_CASE("an unknown path is 404, a wrong method 405 with what is allowed, both on a living connection") {
  Talk talk;
  talk.say("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(talk.heard_status(404));
  CHECK(talk.heard.find(R"({"error":{"code":"not_found")") != std::string::npos);
  talk.heard.clear();
  talk.say("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(talk.heard_status(405));
  CHECK(talk.heard.find("Allow: POST\r\n") != std::string::npos);
  CHECK(!talk.ended);
}

TEST_CASE("what is not HTTP is answered once and closed") {
  Talk talk;
  talk.say("\x16\x03\x01 hello TLS\r\n\r\n");
  CHECK(talk.heard_status(400));
  talk.hand.pass(2 * ns_per_s);
  CHECK(talk.ended);
}

TEST_CASE("an oversized header is 431, an oversized body 413, and both close") {
  for (const auto& [request, status] :
       {std::pair<std::string, int>{"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", 431},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413},
        {"GET /hello/w HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 413}}) {
    Talk talk;
    talk.say(request);
    CHECK(talk.heard_status(status));
    talk.hand.pass(2 * ns_per_s);
    CHECK(talk.ended);
  }
}

TEST_CASE("a request half sent is closed 10 s after its first byte, however slowly it goes on") {
  Talk talk;
  for (const char c : {'G', 'E', 'T', ' ', '/', 'h', 'e', 'l', 'l', 'o'}) {
    talk.say(std::string(1, c));
    CHECK(!talk.ended);
    talk.hand.pass(999 * ns_per_ms);
  }
  CHECK(!talk.ended);
  talk.hand.pass(20 * ns_per_ms);
  CHECK(talk.ended);
  CHECK(talk.heard.empty());
}

TEST_CASE("who asks nothing is sent away after 10 s, who has asked something 60 s after the last answer") {
  Talk silent;
  silent.hand.pass(9 * ns_per_s);
  CHECK(!silent.ended);
  silent.hand.pass(2 * ns_per_s);
  CHECK(silent.ended);
  Talk talk;
  talk.hand.pass(9 * ns_per_s);
  talk.say("GET /hello/w HTTP/1.1\r\nHost: a\r\n\r\n");
  talk.hand.pass(59 * ns_per_s);
  CHECK(!talk.ended);
  talk.hand.pass(2 * ns_per_s);
  CHECK(talk.ended);
}

TEST_CASE("a large answer comes whole, and one that nobody reads is given up after 60 s") {
  Talk reads;
  reads.say("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  reads.hand.wait_for([&] { return reads.ended; });
  CHECK(reads.heard.size() > 1'000'000);
  CHECK(reads.heard.ends_with(std::string(1'000'000, 'x')));

  Talk sleeps({}, false);
  sleeps.say("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(sleeps.hand.loop.alive() == 1);
  sleeps.hand.pass(61 * ns_per_s);
  CHECK(sleeps.hand.loop.alive() == 0);
}

TEST_CASE("answers that nobody reads are bounded together: the next large one is refused, small ones are not") {
  HandLoop hand;
  HttpCounters counters;
  HttpServer server(hand.loop, hand.timers, hand.clock, {.answer_bytes = 2'500'000}, routes(), counters);
  struct Client {
    test::MemoryPair pair;
    std::string heard;
    bool ended = false;
  };
  std::deque<Client> clients;
  const auto ask = [&](const std::string& path, bool reads) -> Client& {
    Client& one = clients.emplace_back(Client{test::memory_pair(hand.timers, {.seed = nissa::test::seed()})});
    const Strand strand(hand.loop);
    spawn_on(strand, server.serve({one.pair.far, {.text = "memory"}, strand}));
    if (reads) hand.loop.spawn(read_all(one.pair.near, one.heard, one.ended));
    hand.loop.spawn(write_all(one.pair.near, "GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    if (reads) hand.wait_for([&] { return one.ended; });
    hand.settle();
    return one;
  };
  const auto status = [](const Client& one) { return one.heard.substr(0, 12); };
  Client& sleeper = ask("/large", false);
  ask("/large", false);
  const Client& refused = ask("/large", true);
  CHECK(status(refused) == "HTTP/1.1 503");
  CHECK(refused.heard.find(R"("code":"busy")") != std::string::npos);
  CHECK(status(ask("/hello/w", true)) == "HTTP/1.1 200");
  sleeper.pair.near->close();
  hand.settle();
  CHECK(status(ask("/large", true)) == "HTTP/1.1 200");
  for (Client& one : clients) one.pair.near->close();
  hand.settle();
}

TEST_CASE("on_head refuses before the body is sent, and lets go on whom it admits") {
  const std::string head = "POST /gated HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n";
  Talk refused;
  refused.say(head + "\r\n");
  CHECK(refused.heard_status(503));
  CHECK(refused.heard.find("100 Continue") == std::string::npos);
  Talk admitted;
  admitted.say(head + "Nissa-Key: 1\r\n\r\n");
  CHECK(admitted.heard == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(admitted.say("abc").ends_with("\r\n\r\nabc in room"));
}

TEST_CASE("how long a body may be is what on_head says") {
  Talk talk;
  talk.say("POST /gated HTTP/1.1\r\nHost: a\r\nNissa-Key: 1\r\nContent-Length: 10\r\n\r\n0123456789");
  CHECK(talk.heard_status(200));
  talk.heard.clear();
  talk.say("POST /gated HTTP/1.1\r\nHost: a\r\nNissa-Key: 1\r\nContent-Length: 11\r\n\r\n0123456789x");
  CHECK(talk.heard_status(413));
}

TEST_CASE("after a refusal by on_head a short body is let go by and the connection goes on") {
  const std::string next = "GET /hello/w HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::size_t size : {0u, 1u, 700u, 65'536u}) {
    CAPTURE(size);
    Talk talk;
    talk.say("POST /gated HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    CHECK(talk.heard_status(503));
    CHECK(talk.say(std::string(size, 'x') + next).ends_with("hello w"));
  }
}

TEST_CASE("after a refusal by on_head a long body, or one of unknown length, ends the connection") {
  for (const std::string how : {"Content-Length: 65537", "Transfer-Encoding: chunked"}) {
    CAPTURE(how);
    Talk talk;
    talk.say("POST /gated HTTP/1.1\r\nHost: a\r\n" + how + "\r\n\r\n" + std::string(70'000, 'x'));
    CHECK(talk.heard_status(503));
    CHECK(talk.heard.find("Connection: close") != std::string::npos);
    CHECK(talk.ended);
  }
}

TEST_CASE("a handler that throws is a violation and a 500, and the connection goes on") {
  Talk talk;
  nissa::test::ExpectViolations expect;
  talk.say("GET /throws HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(expect.seen() == 1);
  CHECK(talk.heard_status(500));
  talk.heard.clear();
  CHECK(talk.say("GET /hello/w HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("hello w"));
}

TEST_CASE("a cut in the middle of anything ends the connection's coroutine") {
  const std::string request = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t sent = 0; sent <= request.size(); ++sent) {
    Talk talk;
    talk.say(request.substr(0, sent));
    talk.pair.link->cut();
    talk.hand.settle();
    CHECK(talk.hand.loop.alive() == 0);
  }
}
