// Who a connection is to the limits: its address, never a name that it gave itself. Pure.
#pragma once
#include <string>

#include "async/byte_stream.hpp"
#include "overload/gate.hpp"

namespace nissa::ingest {

// An IPv4 address; of an IPv6 address the first 64 bits, for a host has as many of the rest as it likes.
std::string principal_of(const PeerAddress& peer);
overload::SenderId sender_id_of(const std::string& principal);

}  // namespace nissa::ingest
