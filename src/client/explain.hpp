// What an agent tells its owner, in words that can be acted on without knowing the protocol; each ends with the
// protocol's own name, to be looked up. The table in docs/protocol.md, "What you are told", shows them as they are.
#pragma once
#include <string>

#include "client/stream_types.hpp"

namespace nissa::client {

// Why a batch is refused, uncertain or abandoned: "the server …". Empty for other fates.
std::string why_lost(const Settlement& settlement);
// A line of its own.
std::string text_of(const Notice& notice);
// Why the server ended a connection.
std::string why_sent_away(Reason reason);

}  // namespace nissa::client
