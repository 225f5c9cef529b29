// The body of a batch, written by agents: event after event, in canonical form, without protobuf objects.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "wire/event_walk.hpp"

namespace nissa::wire {

// What changes from event to event.
struct EventHead {
  std::optional<std::uint64_t> time_unix_ns;
  std::optional<std::uint64_t> duration_ns;
  EventOutcome outcome = EventOutcome::ok;
  std::string_view request_id;  // empty: none
};

// Appends the bytes of an identity (fields 8 to 10): once for each of those an agent sends. Texts must be UTF-8;
// an empty one is left out.
void append_identity(Bytes& out, std::string_view service, std::string_view operation,
                     std::span<const LabelView> labels);
// Appends one event to a body; `identity` as append_identity made it. About 15 ns.
void append_event(Bytes& body, const EventHead& head, ByteView identity);
// How many bytes append_event will add: for a client that closes a batch before it grows too large.
std::size_t event_size(const EventHead& head, ByteView identity);

}  // namespace nissa::wire
