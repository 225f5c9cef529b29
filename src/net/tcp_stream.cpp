#include "net/tcp_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace nissa::net {
namespace {

constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

StreamEnd end_of(const boost::system::error_code& error) {
  if (error == boost::asio::error::eof) return StreamEnd::finished;
  if (error == boost::asio::error::operation_aborted || error == boost::asio::error::bad_descriptor)
    return StreamEnd::closed;
  return StreamEnd::broken;
}

class TcpStream final : public ByteStream, public std::enable_shared_from_this<TcpStream> {
 public:
  TcpStream(TcpSocket socket, const Strand& strand) : strand_(strand), socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
  }

  Task<std::expected<void, StreamEnd>> wait_readable() override {
    strand_.entered();
    const auto [error] = co_await socket_.async_wait(TcpSocket::wait_read, as_result);
    if (error) co_return std::unexpected(end_of(error));
    readable_ = true;
    co_return std::expected<void, StreamEnd>();
  }

  Task<std::expected<std::size_t, StreamEnd>> read_some(std::span<Byte> buffer) override {
    strand_.entered();
    const auto into = boost::asio::buffer(buffer.data(), buffer.size());
    // What was waited for is taken at once, without the way through the reactor; but once only, for whoever never waits
    // would let nobody else work.
    if (std::exchange(readable_, false)) {
      boost::system::error_code failed;
      const std::size_t at_hand = socket_.read_some(into, failed);
      if (!failed) co_return at_hand;
      if (failed != boost::asio::error::would_block) co_return std::unexpected(end_of(failed));
    }
    const auto [error, size] = co_await socket_.async_read_some(into, as_result);
    if (error) co_return std::unexpected(end_of(error));
    co_return size;
  }

  Task<std::expected<void, StreamEnd>> write(ByteView bytes) override {
    strand_.entered();
    const auto [error, size] =
        co_await boost::asio::async_write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), as_result);
    if (error) co_return std::unexpected(end_of(error));
    co_return std::expected<void, StreamEnd>();
  }

  void close() override {
    post_to(strand_, [self = shared_from_this()] {
      self->strand_.entered();
      boost::system::error_code ignored;
      self->socket_.shutdown(TcpSocket::shutdown_both, ignored);
      self->socket_.close(ignored);
    });
  }

 private:
  Strand strand_;
  TcpSocket socket_ NISSA_GUARDED_BY(strand_);
  bool readable_ NISSA_GUARDED_BY(strand_) = false;
};

}  // namespace

std::shared_ptr<ByteStream> make_tcp_stream(TcpSocket socket, const Strand& strand) {
  return std::make_shared<TcpStream>(std::move(socket), strand);
}

PeerAddress peer_of(const TcpSocket& socket) {
  boost::system::error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  if (gone) return {.text = "gone"};
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  return {.text = address.to_string(), .port = endpoint.port(), .loopback = address.is_loopback()};
}

}  // namespace nissa::net
