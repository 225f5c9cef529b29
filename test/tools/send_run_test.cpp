// nissa-send's work from a pipe to the model server over real sockets.
#include "tools/send_run.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "loopback_server.hpp"

namespace nissa::tools::test {
namespace {

using nissa::test::PeerServer;

struct Said {
  SendOutcome outcome;
  std::vector<std::string> lines;
};

// `stop_at_bad_line`: as if a signal came when the first bad line is told.
Said send(const std::string& text, const SendOptions& options, bool stop_at_bad_line = false) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::thread writer([&] {
    (void)!write(ends[1], text.data(), text.size());
    close(ends[1]);
  });
  if (stop_at_bad_line) writer.join();  // a pipe holds 64 KiB; so the first read has it all
  Said said;
  std::atomic<bool> stop{false};
  LineReader input(ends[0], stop);
  SendCalls calls;
  calls.say = [&](const std::string& line) {
    said.lines.push_back(line);
    if (stop_at_bad_line && line.starts_with("line ")) stop = true;
  };
  said.outcome = send_lines(input, options, stop, calls);
  if (writer.joinable()) writer.join();
  close(ends[0]);
  return said;
}

const std::string access_line = R"(::1 - - [15/Jun/2025:15:46:40 +0200] "GET /a HTTP/1.1" 200 512 "-" "-" rt=0.012)"
                                "\n";

TEST_CASE("good lines of both formats are counted, bad ones are named with their number, and the rest goes on") {
  PeerServer peer;
  SendOptions options;
  options.service = "shop";
  std::string text;
  for (int i = 0; i < 50; ++i) text += access_line + R"({"service": "other", "duration_ms": 3})" + "\n\n";
  text += "{\"nonsense\": 1}\nrubbish\n" + access_line;
  Said said;
  {
    LoopbackServer server(peer);
    options.agent.port = server.port();
    said = send(text, options);
  }
  CHECK(said.outcome.lines == 103);
  CHECK(said.outcome.bad_lines == 2);
  CHECK(said.outcome.stats.counted == 101);
  CHECK(peer.events_seen == 101);
  REQUIRE(said.lines.size() == 2);
  CHECK(said.lines[0].starts_with("line 151: \"nonsense\" is no key of an event"));
  CHECK(said.lines[1].starts_with("line 152: "));
  CHECK(send_exit_code(said.outcome) == 1);
  CHECK(send_summary(said.outcome).starts_with("103 lines, 2 not understood; 101 events acknowledged"));
}

TEST_CASE(
    "a signal ends reading: whole lines that were read are sent, one that was not read to its end is not guessed") {
  PeerServer peer;
  SendOptions options;
  options.service = "shop";
  std::string text = "rubbish\n";
  for (int i = 0; i < 50; ++i) text += access_line;
  text += access_line.substr(0, access_line.size() - 2);  // rt=0.01, which is not what was to come
  Said said;
  {
    LoopbackServer server(peer);
    options.agent.port = server.port();
    said = send(text, options, true);
  }
  CHECK(said.outcome.stats.counted == 50);
  CHECK(peer.events_seen == 50);
  REQUIRE(said.lines.size() == 2);
  CHECK(said.lines[1].starts_with("line 52: "));
  CHECK(said.lines[1].find("not read to its end") != std::string::npos);
  CHECK(send_exit_code(said.outcome) == 1);
}

TEST_CASE("a signal while the server is away: what was read is told as not sent, within the time for draining") {
  SendOptions options;
  options.agent.port = 1;
  options.agent.max_held_bytes = 65'536;
  options.service = "shop";
  options.drain_s = 1;
  std::string text = "rubbish\n";
  for (int i = 0; i < 280; ++i) text += R"({"operation": ")" + std::string(200, 'a') + "\"}\n";
  const Said said = send(text, options, true);
  CHECK(said.outcome.stats.abandoned == said.outcome.lines - 1);
  CHECK(said.outcome.stats.abandoned > 200);
  CHECK(send_exit_code(said.outcome) == 3);
}

TEST_CASE("spaces before a JSON line are passed over") {
  PeerServer peer;
  SendOptions options;
  LoopbackServer server(peer);
  options.agent.port = server.port();
  CHECK(send_exit_code(send("  {\"service\": \"a\"}\n", options).outcome) == 0);
}

TEST_CASE("all counted: 0; without a server: 3, and what is lost is told") {
  PeerServer peer;
  SendOptions options;
  options.service = "shop";
  {
    LoopbackServer server(peer);
    options.agent.port = server.port();
    CHECK(send_exit_code(send(access_line, options).outcome) == 0);
  }
  options.agent.port = 1;
  options.drain_s = 0;
  const Said said = send(access_line, options);
  CHECK(said.outcome.stats.abandoned == 1);
  CHECK(send_exit_code(said.outcome) == 3);
  CHECK(!said.lines.empty());
}

TEST_CASE("a line without a service needs --service") {
  SendOptions options;
  options.drain_s = 0;
  const Said said = send(access_line, options);
  CHECK(said.lines == std::vector<std::string>{"line 1: names no service, and there is no --service NAME"});
}

}  // namespace
}  // namespace nissa::tools::test
