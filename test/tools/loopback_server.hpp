// The model server on a port of the loopback, on a thread of its own until it goes: look at the peer afterwards.
#pragma once
#include <doctest/doctest.h>

#include <thread>

#include "net/connection.hpp"
#include "net/tcp_listener.hpp"
#include "support/peer_server.hpp"

namespace nissa::tools::test {

class LoopbackServer {
 public:
  explicit LoopbackServer(nissa::test::PeerServer& peer)
      : listener_(loop_, timers_, {},
                  [&peer](net::Connection connection) -> Task<void> { co_await peer.serve(connection.stream); }) {
    REQUIRE(listener_.open());
    listener_.start();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~LoopbackServer() {
    loop_.spawn([](LoopbackServer& self) -> Task<void> {
      co_await self.listener_.async_stop(0);
      self.timers_.stop();
      self.loop_.release();
    }(*this));
    thread_.join();
  }
  std::uint16_t port() const { return listener_.port(); }

 private:
  SystemClock clock_;
  EventLoop loop_{1};
  Timers timers_{loop_, clock_};
  net::TcpListener listener_;
  std::thread thread_;
};

}  // namespace nissa::tools::test
