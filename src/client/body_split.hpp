// A body that the server would not take whole, cut into ones that it takes. Only of batches that bear no key yet.
#pragma once
#include <vector>

#include "client/stream_types.hpp"

namespace nissa::client {

// In order, each with the tag of the whole, all of its events in exactly one. An event that is too large by itself is
// a body of its own, for the stream to refuse. `body` must hold its bytes, and nothing but events. Pure; a copy of
// them.
std::vector<Body> split_body(const Body& body, std::uint32_t max_events, std::uint32_t max_bytes);

}  // namespace nissa::client
