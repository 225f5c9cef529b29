// Connects to a TCP server, for agents, for deliveries and for tests.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "async/byte_stream.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"
#include "base/result.hpp"

namespace nissa::net {

// Awaited on `strand`, where the stream will live. `host` is a name or a number; its addresses are tried one after the
// other until one answers or the deadline has passed. A failure names host, port and the last address's reason.
// Looking a name up takes a thread of Asio's own, which the deadline does not interrupt but no longer waits for.
Task<Result<std::shared_ptr<ByteStream>>> tcp_connect(Strand strand, Timers& timers, std::string host,
                                                      std::uint16_t port, BootNs deadline);

}  // namespace nissa::net
