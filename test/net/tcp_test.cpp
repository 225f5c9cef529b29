// Real sockets on the loopback: what memory cannot show.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "async/latch.hpp"
#include "net/connection.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/tcp_connect.hpp"
#include "net/tcp_listener.hpp"
#include "support/manual_clock.hpp"
#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::net;

namespace {

// A loop with its threads; everything in it has been stopped when it goes.
struct Running {
  explicit Running(int threads) : loop(threads), timers(loop, clock) {
    for (int i = 0; i < threads; ++i) workers.emplace_back([this] { loop.run(); });
  }
  ~Running() {
    timers.stop();
    loop.release();
    for (auto& worker : workers) worker.join();
  }
  // Runs a task on a strand of its own and waits for it on this thread.
  template <class Make>
  void wait_for(Make make) {
    std::atomic<bool> done{false};
    const Strand strand(loop);
    spawn_on(strand, [](Make make_it, Strand own, std::atomic<bool>& flag) -> Task<void> {
      co_await make_it(own);
      flag = true;
      flag.notify_all();
    }(std::move(make), strand, done));
    done.wait(false);
  }
  SystemClock clock;
  EventLoop loop;
  Timers timers;
  std::vector<std::thread> workers;
};

// How many more descriptors this process may open.
class Descriptors {
 public:
  Descriptors() { ::getrlimit(RLIMIT_NOFILE, &before_); }
  ~Descriptors() { leave_all(); }
  void leave(rlim_t more) const {
    const int next = ::open("/dev/null", O_RDONLY);  // the lowest that is free
    ::close(next);
    rlimit less = before_;
    less.rlim_cur = static_cast<rlim_t>(next) + more;
    ::setrlimit(RLIMIT_NOFILE, &less);
  }
  void leave_all() const { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

Task<void> echo(Connection connection) {
  Bytes buffer(100);
  while (co_await connection.stream->wait_readable()) {
    const auto size = co_await connection.stream->read_some(buffer);
    if (!size) break;
    if (!co_await connection.stream->write(ByteView(buffer).first(*size))) break;
  }
}

Task<std::string> ask(ByteStream& stream, std::string text) {
  (void)co_await stream.write(as_bytes(text));
  std::string answer;
  Bytes buffer(100);
  while (answer.size() < text.size()) {
    const auto size = co_await stream.read_some(buffer);
    if (!size) break;
    answer += as_text(ByteView(buffer).first(*size));
  }
  co_return answer;
}

Task<Result<std::shared_ptr<ByteStream>>> connect_to(Running& running, const Strand& own, const TcpListener& listener) {
  return tcp_connect(own, running.timers, "127.0.0.1", listener.port(), running.timers.now() + 10 * ns_per_s);
}

}  // namespace

TEST_CASE("a listener and a client talk, and stopping closes whoever stays") {
  Running running(2);
  TcpListener listener(running.loop, running.timers, {}, echo);
  REQUIRE(listener.open());
  listener.start();
  running.wait_for([&](Strand own) -> Task<void> {
    const auto stream = co_await connect_to(running, own, listener);
    REQUIRE(stream);
    CHECK(co_await ask(**stream, "hello") == "hello");
    CHECK(listener.connections() == 1);
    co_await listener.async_stop(0);
    CHECK(listener.connections() == 0);
    Bytes buffer(1);
    CHECK(!co_await (*stream)->read_some(buffer));
    (*stream)->close();
  });
}

TEST_CASE("300 starts and stops with clients connected leave nothing behind") {
  Running running(2);
  for (int round = 0; round < 300; ++round) {
    TcpListener listener(running.loop, running.timers, {}, echo);
    REQUIRE(listener.open());
    listener.start();
    running.wait_for([&](Strand own) -> Task<void> {
      std::vector<std::shared_ptr<ByteStream>> streams;
      for (int i = 0; i < 3; ++i) {
        auto stream = co_await connect_to(running, own, listener);
        if (stream) streams.push_back(*stream);
      }
      if (round % 3 == 0) CHECK(co_await ask(*streams.at(0), "hello") == "hello");
      if (round % 3 == 1) streams.at(0)->close();
      co_await listener.async_stop(round % 2 == 0 ? 0 : ns_per_ms);
      for (const auto& stream : streams) stream->close();
    });
  }
}

TEST_CASE("at its limit a listener accepts nobody until somebody goes") {
  Running running(1);
  TcpListener listener(running.loop, running.timers, {.max_connections = 1}, echo);
  REQUIRE(listener.open());
  listener.start();
  running.wait_for([&](Strand own) -> Task<void> {
    const BootNs deadline = running.timers.now() + 10 * ns_per_s;
    const auto first = co_await tcp_connect(own, running.timers, "127.0.0.1", listener.port(), deadline);
    CHECK(co_await ask(**first, "a") == "a");
    const auto second = co_await tcp_connect(own, running.timers, "127.0.0.1", listener.port(), deadline);
    REQUIRE(second);  // by the kernel, into the backlog
    for (int i = 0; i < 20; ++i) co_await yield_turn();
    CHECK(listener.accepted() == 1);
    (*first)->close();
    CHECK(co_await ask(**second, "b") == "b");
    CHECK(listener.accepted() == 2);
    co_await listener.async_stop(0);
    (*second)->close();
  });
}

// UBSan looks at a vptr through a pipe(2) of its own: without descriptors it calls every object none.
#if __has_feature(undefined_behavior_sanitizer)
#define NISSA_SKIP_WITHOUT_DESCRIPTORS true
#else
#define NISSA_SKIP_WITHOUT_DESCRIPTORS false
#endif

TEST_CASE("without descriptors a listener pauses, and goes on when there are some again" *
          doctest::skip(NISSA_SKIP_WITHOUT_DESCRIPTORS)) {
  EventLoop loop(1);
  test::ManualClock clock;
  Timers timers(loop, clock, Timers::Drive::by_hand);
  std::thread worker([&] { loop.run(); });
  {
    TcpListener listener(loop, timers, {}, echo);
    REQUIRE(listener.open());
    listener.start();
    Latch done;
    const Strand own(loop);
    spawn_on(own,
             [](Strand strand, Timers& the_timers, TcpListener& the_listener, test::ManualClock& hand,
                Latch& end) -> Task<void> {
               const Descriptors all;
               all.leave(1);  // for the client; the server gets none
               const auto stream = co_await tcp_connect(strand, the_timers, "127.0.0.1", the_listener.port(),
                                                        the_timers.now() + 10 * ns_per_s);
               REQUIRE(stream);
               while (the_listener.pauses() == 0) co_await yield_turn();
               CHECK(the_listener.accepted() == 0);
               all.leave_all();
               hand.advance(100 * ns_per_ms);
               the_timers.fire_due();
               CHECK(co_await ask(**stream, "hello") == "hello");
               (*stream)->close();
               co_await the_listener.async_stop(0);
               end.open();
             }(own, timers, listener, clock, done));
    while (!done.is_open()) std::this_thread::yield();
  }
  timers.stop();
  loop.release();
  worker.join();
}

TEST_CASE("an address that is taken or is none fails with what was wrong") {
  Running running(1);
  TcpListener first(running.loop, running.timers, {}, echo);
  REQUIRE(first.open());
  TcpListener second(running.loop, running.timers, {.port = first.port()}, echo);
  const auto taken = second.open();
  REQUIRE(!taken);
  CHECK(taken.error().message.find("cannot listen on 127.0.0.1:") == 0);
  TcpListener third(running.loop, running.timers, {.address = "nowhere"}, echo);
  CHECK(third.open().error().message.find("not a number") != std::string::npos);
}

TEST_CASE("connecting to nobody fails with host, port and reason") {
  Running running(1);
  std::uint16_t port = 0;
  {
    TcpListener closed(running.loop, running.timers, {}, echo);
    REQUIRE(closed.open());
    port = closed.port();
  }
  running.wait_for([&](Strand own) -> Task<void> {
    const auto refused =
        co_await tcp_connect(own, running.timers, "127.0.0.1", port, running.timers.now() + 10 * ns_per_s);
    REQUIRE(!refused);
    CHECK(refused.error().message == "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    const auto late = co_await tcp_connect(own, running.timers, "127.0.0.1", port, running.timers.now());
    CHECK(!late);
  });
}

TEST_CASE("the HTTP client gets from the HTTP server, large answers and errors alike") {
  Running running(2);
  std::vector<HttpRoute> routes;
  routes.push_back({.method = "GET", .pattern = "/large", .handle = [](HttpRequest) -> Task<HttpResponse> {
                      co_return http_text(std::string(3'000'000, 'x'));
                    }});
  routes.push_back({.method = "POST",
                    .pattern = "/echo",
                    .handle = [](HttpRequest request) -> Task<HttpResponse> { co_return http_text(request.body); },
                    .max_body = 100});
  HttpCounters counters;
  HttpServer server(running.loop, running.timers, running.clock, {}, std::move(routes), counters);
  REQUIRE(server.open());
  server.start();
  running.wait_for([&](Strand own) -> Task<void> {
    const BootNs deadline = running.timers.now() + 30 * ns_per_s;
    const auto large = co_await http_fetch(own, running.timers,
                                           {.host = "127.0.0.1", .port = server.port(), .target = "/large"}, deadline);
    REQUIRE(large);
    CHECK(large->body.size() == 3'000'000);
    const auto missing = co_await http_fetch(own, running.timers,
                                             {.host = "localhost", .port = server.port(), .target = "/no"}, deadline);
    REQUIRE_MESSAGE(missing, (missing ? "" : missing.error().message));
    CHECK(missing->status == 404);
    const auto echoed = co_await http_fetch(
        own, running.timers,
        {.host = "127.0.0.1", .port = server.port(), .method = "POST", .target = "/echo", .body = "hi"}, deadline);
    CHECK(echoed->body == "hi");
    const auto refused = co_await http_fetch(own, running.timers,
                                             {.host = "127.0.0.1",
                                              .port = server.port(),
                                              .method = "POST",
                                              .target = "/echo",
                                              .body = std::string(50'000, 'x')},
                                             deadline);
    REQUIRE(refused);
    CHECK(refused->status == 413);
    co_await server.async_stop(0);
  });
}

TEST_CASE("100 starts and stops of an HTTP server with idle and busy clients leave nothing behind") {
  Running running(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<HttpRoute> routes;
    routes.push_back({.method = "GET", .pattern = "/", .handle = [](HttpRequest) -> Task<HttpResponse> {
                        co_await yield_turn();
                        co_return http_text("ok");
                      }});
    HttpCounters counters;
    HttpServer server(running.loop, running.timers, running.clock, {}, std::move(routes), counters);
    REQUIRE(server.open());
    server.start();
    running.wait_for([&](Strand own) -> Task<void> {
      const BootNs deadline = running.timers.now() + 30 * ns_per_s;
      const auto idle = co_await tcp_connect(own, running.timers, "127.0.0.1", server.port(), deadline);
      const auto busy = co_await tcp_connect(own, running.timers, "127.0.0.1", server.port(), deadline);
      const std::string_view request = "GET / HTTP/1.1\r\n\r\n";
      (void)co_await (*busy)->write(as_bytes(request));
      co_await server.async_stop(10 * ns_per_s);
      (*idle)->close();
      (*busy)->close();
    });
  }
}

TEST_CASE("whoever reads what never ends lets others work") {
  Running running(1);
  TcpListener listener(running.loop, running.timers, {}, [](Connection connection) -> Task<void> {
    const Bytes much(256 << 10, 'x');
    (void)co_await connection.stream->write(much);
    (void)co_await connection.stream->wait_readable();  // until the client goes
  });
  REQUIRE(listener.open());
  listener.start();
  running.wait_for([&](Strand own) -> Task<void> {
    const auto stream = co_await connect_to(running, own, listener);
    REQUIRE(stream);
    int turns_of_others = 0;
    Latch ended, others_ended;
    spawn_on(own, [](int& turns, const Latch& end, Latch& others_end) -> Task<void> {
      for (; !end.is_open(); ++turns) co_await yield_turn();
      others_end.open();
    }(turns_of_others, ended, others_ended));
    CHECK(co_await (*stream)->wait_readable());
    Bytes buffer(64);
    constexpr int reads = 1000;
    for (int i = 0; i < reads; ++i) CHECK(co_await (*stream)->read_some(buffer));
    CHECK(turns_of_others > reads / 10);
    ended.open();
    co_await others_ended.wait();
    (*stream)->close();
    co_await listener.async_stop(0);
  });
}
