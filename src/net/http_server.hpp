// HTTP/1.1 for operators, scrapers and agents: routes as a table, one coroutine a connection, one request at a time.
//
// Bounds, by HttpServerOptions: the head; the first byte within request_timeout of the connection, a request complete
// so long after its first byte, a connection idle or not reading its answer for idle_timeout closed. Body as the route
// says; an idle connection holds no buffer. Large bodies are written in pieces of 64 KiB; what all answers hold
// together is bounded. Errors are JSON: {"error":{"code","message","hint"}}. Handlers run on the connection's strand,
// so they go to the owners of state by their async_ functions.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "net/http_counters.hpp"
#include "net/http_routes.hpp"
#include "net/tcp_listener.hpp"

namespace nissa::net {

struct HttpServerOptions {
  ListenOptions listen;
  std::size_t head_limit = 8 * 1024;
  std::int64_t request_timeout_ns = 10 * ns_per_s;  // first byte to complete
  std::int64_t idle_timeout_ns = 60 * ns_per_s;     // between requests, and a write without progress
  // Bodies of answers that are not read yet, of all connections together; beyond, 503. One alone may be larger.
  std::size_t answer_bytes = std::size_t{32} << 20;
};

class HttpServer {
 public:
  // The loop, the timers, the clock (for the Date header), the counters and what the handlers refer to outlive it.
  HttpServer(EventLoop& loop, Timers& timers, const Clock& clock, HttpServerOptions options,
             std::vector<HttpRoute> routes, HttpCounters& counters);
  ~HttpServer();

  Status open();  // blocking, once, before start()
  std::uint16_t port() const;
  void start();
  // Any thread, once. Idle connections are closed at once, requests under way are answered, what has
  // not ended after grace_ns is closed.
  Task<void> async_stop(std::int64_t grace_ns);

  // Serves one connection to its end, on its strand: what start() does for each, and the simulator by itself.
  Task<void> serve(Connection connection);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::net
