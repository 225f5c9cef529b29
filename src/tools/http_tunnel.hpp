// The protocol over HTTP behind the protocol over TCP: frames go in and come out, requests and responses travel. So the
// load generator drives both doors with the same client, and the same books. One request at a time, as most agents do.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "async/byte_stream.hpp"

namespace nissa::tools {

enum class HttpBody : std::uint8_t { protobuf, json };

// `inner`: a connection to the server's HTTP door. Reads and writes on its strand.
std::shared_ptr<ByteStream> http_tunnel(std::shared_ptr<ByteStream> inner, HttpBody body);

}  // namespace nissa::tools
