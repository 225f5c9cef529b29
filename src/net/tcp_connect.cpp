#include "net/tcp_connect.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <cerrno>

#include "net/tcp_stream.hpp"

namespace nissa::net {
namespace {

using boost::asio::ip::tcp;
using Resolver = boost::asio::ip::basic_resolver<tcp, Strand::Inner>;
constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

// Shared with the deadline's call, which may come when the attempt is over.
struct Attempt {
  explicit Attempt(const Strand& own) : strand(own), resolver(own.inner()), socket(own.inner()) {}
  Strand strand;
  Resolver resolver NISSA_GUARDED_BY(strand);
  TcpSocket socket NISSA_GUARDED_BY(strand);
  bool over NISSA_GUARDED_BY(strand) = false;
  bool too_late NISSA_GUARDED_BY(strand) = false;

  void give_up() NISSA_REQUIRES(strand) {
    if (over) return;
    too_late = true;
    resolver.cancel();
    boost::system::error_code ignored;
    socket.close(ignored);
  }
};

TimerId give_up_at(Timers& timers, BootNs deadline, const std::shared_ptr<Attempt>& attempt) {
  return timers.call_at(deadline, [attempt](Slept) {
    post_to(attempt->strand, [attempt] {
      attempt->strand.entered();
      attempt->give_up();
    });
  });
}

// Asio's own open() leaves the socket to every program that the process starts.
boost::system::error_code open_close_on_exec(TcpSocket& socket, const tcp& protocol) {
  boost::system::error_code error;
  socket.close(error);
  const int made = ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (made < 0) return {errno, boost::system::system_category()};
  socket.assign(protocol, made, error);
  if (error) ::close(made);
  return error;
}

Task<boost::system::error_code> try_all(std::shared_ptr<Attempt> attempt, std::string host, std::uint16_t port) {
  attempt->strand.entered();
  auto [error, found] =
      co_await attempt->resolver.async_resolve(host, std::to_string(port), Resolver::numeric_service, as_result);
  for (const auto& entry : found) {
    if (attempt->too_late) break;
    error = open_close_on_exec(attempt->socket, entry.endpoint().protocol());
    if (error) continue;
    std::tie(error) = co_await attempt->socket.async_connect(entry.endpoint(), as_result);
    if (!error) break;
  }
  co_return error;
}

}  // namespace

Task<Result<std::shared_ptr<ByteStream>>> tcp_connect(Strand strand, Timers& timers, std::string host,
                                                      std::uint16_t port, BootNs deadline) {
  strand.entered();
  const auto attempt = std::make_shared<Attempt>(strand);
  const TimerId timer = give_up_at(timers, deadline, attempt);
  const auto error = co_await try_all(attempt, host, port);
  timers.cancel(timer);
  attempt->strand.entered();
  attempt->over = true;
  const std::string where = "cannot connect to " + host + ":" + std::to_string(port) + ": ";
  if (attempt->too_late) co_return failure(where + "no answer in time");
  if (error) co_return failure(where + error.message());
  co_return make_tcp_stream(std::move(attempt->socket), strand);
}

}  // namespace nissa::net
