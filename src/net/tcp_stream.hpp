// ByteStream over a TCP socket. Inside net alone: it shows Asio.
#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "async/byte_stream.hpp"
#include "async/strand.hpp"

namespace nissa::net {

using TcpSocket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Strand::Inner>;

// The socket's executor is the strand. Nagle's delay is switched off: we coalesce ourselves.
std::shared_ptr<ByteStream> make_tcp_stream(TcpSocket socket, const Strand& strand);

PeerAddress peer_of(const TcpSocket& socket);

}  // namespace nissa::net
