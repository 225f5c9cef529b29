// Accepts TCP connections and counts their sessions in and out. Each connection gets a strand of its own, on which the
// handler's coroutine lives; when that ends, the stream is closed and the connection is counted out.
// Bounds: at max_connections it stops accepting (the kernel's backlog holds the rest); where descriptors or memory run
// out it pauses and tries again, for a listener that gives up is an outage that outlives its cause.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/result.hpp"

namespace nissa::net {

struct Connection;  // net/connection.hpp

struct ListenOptions {
  std::string address = "127.0.0.1";  // a number; IPv4 or IPv6
  std::uint16_t port = 0;             // 0: any that is free
  std::size_t max_connections = 1'000;
};

class TcpListener {
 public:
  // Runs on the connection's strand. What it throws is a violation; it ends soon after its stream was closed.
  using Handler = std::function<Task<void>(Connection)>;

  // The loop, the timers and what the handler refers to outlive it.
  TcpListener(EventLoop& loop, Timers& timers, ListenOptions options, Handler handler);
  ~TcpListener();  // after async_stop, or if it was never started

  // Takes the address. Blocking, once, before start(). Fails with address, port and the system's words.
  Status open();
  std::uint16_t port() const;  // the real one, after open()
  void start();

  // Any thread, once. Stops accepting at once; closes what has not ended after grace_ns; returns when
  // the last session has ended.
  Task<void> async_stop(std::int64_t grace_ns);

  // Any thread.
  std::size_t connections() const;
  std::uint64_t accepted() const;
  std::uint64_t pauses() const;  // how often accepting failed for want of descriptors or memory

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::net
