#include "net/tcp_listener.hpp"

#include <boost/asio/as_tuple.hpp>
#include <unordered_map>

#include "async/latch.hpp"
#include "async/parking.hpp"
#include "base/counter.hpp"
#include "base/log.hpp"
#include "net/connection.hpp"
#include "net/tcp_stream.hpp"

namespace nissa::net {
namespace {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Strand::Inner>;
constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
constexpr std::int64_t pause_ns = 100 * ns_per_ms;

}  // namespace

struct TcpListener::Inside {
  Inside(EventLoop& event_loop, Timers& the_timers, ListenOptions the_options, Handler the_handler)
      : loop(event_loop),
        timers(the_timers),
        options(std::move(the_options)),
        handler(std::move(the_handler)),
        strand(event_loop),
        acceptor(strand.inner()),
        room(strand),
        pause(strand),
        empty(strand) {}

  EventLoop& loop;
  Timers& timers;
  const ListenOptions options;
  const Handler handler;
  const Strand strand;
  std::uint16_t port = 0;
  bool started = false;  // before anything runs
  Acceptor acceptor NISSA_GUARDED_BY(strand);
  Parking room NISSA_GUARDED_BY(strand);   // the accept loop, while there are max_connections
  Parking pause NISSA_GUARDED_BY(strand);  // the accept loop, while the system has no room
  Parking empty NISSA_GUARDED_BY(strand);  // async_stop, while sessions live
  bool stopping NISSA_GUARDED_BY(strand) = false;
  std::uint64_t next_id NISSA_GUARDED_BY(strand) = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<ByteStream>> open_streams NISSA_GUARDED_BY(strand);
  Latch accepting_ended;
  Counter connections, accepted, pauses;

  // Before anything runs: nobody else is on the strand.
  Status open() NISSA_NO_THREAD_SAFETY_ANALYSIS {
    const auto failed = [this](const std::string& what, const boost::system::error_code& error) {
      return failure("cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " + what + ": " +
                     error.message());
    };
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(options.address, error);
    if (error) return failed("the address is not a number", error);
    const boost::asio::ip::tcp::endpoint endpoint(address, options.port);
    acceptor.open(endpoint.protocol(), error);
    if (error) return failed("socket", error);
    acceptor.set_option(Acceptor::reuse_address(true), error);
    if (error) return failed("SO_REUSEADDR", error);
    acceptor.bind(endpoint, error);
    if (error) return failed("bind", error);
    acceptor.listen(Acceptor::max_listen_connections, error);
    if (error) return failed("listen", error);
    port = acceptor.local_endpoint(error).port();
    return {};
  }

  Task<void> accept_loop() {
    strand.entered();
    while (!stopping) {
      if (open_streams.size() >= options.max_connections) {
        log_rarely(LogLevel::warning, "net", "all connections are taken: who comes now waits until one ends",
                   {{"address", options.address}, {"port", port}, {"connections", options.max_connections}});
        co_await room.park();
        continue;
      }
      const Strand own(loop);
      auto [error, socket] = co_await acceptor.async_accept(own.inner(), as_result);
      if (stopping) break;  // a socket accepted in the same moment is closed with this scope
      if (error == boost::asio::error::connection_aborted) continue;
      if (error) {
        pauses.add();
        log(LogLevel::warning, "net", "pausing before the next connection: " + error.message());
        if (co_await pause.park_until(timers, timers.now() + pause_ns) == Woken::cancelled) break;
        continue;
      }
      PeerAddress peer = peer_of(socket);
      begin({make_tcp_stream(std::move(socket), own), std::move(peer), own});
    }
    accepting_ended.open();
  }

  void begin(Connection connection) NISSA_REQUIRES(strand) {
    const std::uint64_t id = next_id++;
    open_streams.emplace(id, connection.stream);
    accepted.add();
    connections.set(open_streams.size());
    const Strand own = connection.strand;
    spawn_on(own, serve(id, std::move(connection)));
  }

  // On the connection's strand.
  Task<void> serve(std::uint64_t id, Connection connection) {
    const auto stream = connection.stream;
    try {
      co_await handler(std::move(connection));
    } catch (const std::exception& thrown) {
      violation("net", std::string("a session ends without an exception, not with: ") + thrown.what());
    } catch (...) {
      violation("net", "a session ends without an exception");
    }
    stream->close();
    post_to(strand, [this, id] {
      strand.entered();
      end(id);
    });
  }

  void end(std::uint64_t id) NISSA_REQUIRES(strand) {
    open_streams.erase(id);
    connections.set(open_streams.size());
    room.wake_all();
    if (open_streams.empty()) empty.wake_all();
  }

  Task<void> stop(std::int64_t grace_ns) {
    strand.entered();
    stopping = true;
    boost::system::error_code ignored;
    acceptor.close(ignored);
    room.wake_all();
    pause.wake_all();
    const BootNs deadline = timers.now() + grace_ns;
    while (!open_streams.empty() && timers.now() < deadline)
      if (co_await empty.park_until(timers, deadline) == Woken::cancelled) break;
    for (const auto& [id, stream] : open_streams) stream->close();
    while (!open_streams.empty()) co_await empty.park();
    stopped.open();
  }

  Latch stopped;
};

TcpListener::TcpListener(EventLoop& loop, Timers& timers, ListenOptions options, Handler handler)
    : inside_(std::make_unique<Inside>(loop, timers, std::move(options), std::move(handler))) {}
TcpListener::~TcpListener() = default;

Status TcpListener::open() { return inside_->open(); }
std::uint16_t TcpListener::port() const { return inside_->port; }
void TcpListener::start() {
  inside_->started = true;
  spawn_on(inside_->strand, inside_->accept_loop());
}

Task<void> TcpListener::async_stop(std::int64_t grace_ns) {
  spawn_on(inside_->strand, inside_->stop(grace_ns));
  co_await inside_->stopped.wait();
  if (inside_->started) co_await inside_->accepting_ended.wait();
}

std::size_t TcpListener::connections() const { return inside_->connections.value(); }
std::uint64_t TcpListener::accepted() const { return inside_->accepted.value(); }
std::uint64_t TcpListener::pauses() const { return inside_->pauses.value(); }

}  // namespace nissa::net
