// A connection that was just made: the stream, who is at the other end, and the strand on which both live.
#pragma once
#include <memory>

#include "async/byte_stream.hpp"
#include "async/strand.hpp"

namespace nissa::net {

struct Connection {
  std::shared_ptr<ByteStream> stream;
  PeerAddress peer;
  Strand strand;  // a copy of the stream's own: what is spawned for this connection is spawned here
};

}  // namespace nissa::net
