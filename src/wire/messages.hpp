// The small messages as plain values. Generated code stands behind messages.cpp alone.
// decode_…: what a client sent is proven canonical first (strict); what the server sent is read leniently (a newer one
// may say more). Of Hello the protocol is told, not judged: its sender is answered, then sent away.
// encode: appends the message without an envelope. append_message: in its envelope, ready for the socket.
#pragma once
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "base/refusal.hpp"
#include "wire/malformed.hpp"

namespace nissa::wire {

inline constexpr std::uint32_t protocol_version = 2;

// Numbers of nissa.v2.Mode.
enum class WireMode : std::uint8_t { normal = 0, conservative = 1, emergency = 2 };

struct Hello {
  std::uint32_t protocol = protocol_version;
  std::optional<Epoch> epoch;
  std::string agent;  // at most 96 bytes
  std::string token;
  std::uint64_t sent_at_unix_ns = 0;  // 0: not told
};
struct HelloAck {
  std::uint32_t max_frame_bytes = 0;
  std::uint32_t max_events = 0;
  std::uint32_t window_batches = 0;
  std::uint32_t window_bytes = 0;
  EpochSeen now;
  WireMode mode = WireMode::normal;
  std::optional<bool> epoch_known;       // only if Hello named one
  std::uint64_t sent_at_unix_ns = 0;     // echo
  std::uint32_t max_inflated_bytes = 0;  // over HTTP only; 0: not told
  std::uint32_t max_json_bytes = 0;      // the same
};
struct Heartbeat {
  std::uint64_t sent_at_unix_ns = 0;
  std::optional<std::uint64_t> round_trip_ns;
};
struct HeartbeatAck {
  std::uint64_t sent_at_unix_ns = 0;
  EpochSeen now;
};
struct Goodbye {
  Epoch epoch = 0;
  std::optional<EpochSeen> epoch_seen;
};
struct GoAway {
  Reason reason = Reason::none;
  std::string message;
};
struct ControlCommand {
  std::uint64_t id = 0;
  std::string name;
  std::vector<std::pair<std::string, std::string>> arguments;
};
struct ControlReply {
  std::uint64_t id = 0;
  bool done = false;
  Reason reason = Reason::none;
  std::string message;
};

// Numbers of nissa.v2.Ack.Status.
enum class AckStatus : std::uint8_t { counted = 1, duplicate = 2, refused = 3, malformed = 4, conflict = 5 };

struct Ack {
  std::optional<BatchKey> key;  // absent: the header was unreadable, or the batch bore no key
  AckStatus status = AckStatus::counted;
  Reason reason = Reason::none;
  bool final = false;                                       // refused: no retry will help
  std::uint32_t retry_after_ms = 0;                         // refused: not before; 0: not told
  std::uint32_t byte_offset = 0;                            // malformed
  std::string field;                                        // malformed
  std::uint32_t accepted = 0;                               // counted
  std::uint32_t late = 0;                                   // counted
  std::array<std::uint32_t, event_fault_count> rejected{};  // counted; index: number of EventFault - 1
  std::int64_t clock_skew_ms = 0;                           // event times were shifted by this much
  std::optional<EpochSeen> now;                             // a counted one bears the running time of its record
  WireMode mode = WireMode::normal;
  bool unkeyed = false;         // the batch bore no key: counted at least once. On the wire: identity "none"
  std::string message;          // for people, over HTTP only; empty: none
  std::uint32_t unmatched = 0;  // counted; of accepted: belong to no SLO
};

std::expected<Hello, Malformed> decode_hello(ByteView bytes);
std::expected<Heartbeat, Malformed> decode_heartbeat(ByteView bytes);
std::expected<Goodbye, Malformed> decode_goodbye(ByteView bytes);
std::expected<ControlCommand, Malformed> decode_control_command(ByteView bytes);

std::expected<HelloAck, Malformed> decode_hello_ack(ByteView bytes);
std::expected<HeartbeatAck, Malformed> decode_heartbeat_ack(ByteView bytes);
std::expected<GoAway, Malformed> decode_go_away(ByteView bytes);
std::expected<ControlReply, Malformed> decode_control_reply(ByteView bytes);
std::expected<Ack, Malformed> decode_ack(ByteView bytes);

void encode(Bytes& out, const Hello& message);
void encode(Bytes& out, const HelloAck& message);
void encode(Bytes& out, const Heartbeat& message);
void encode(Bytes& out, const HeartbeatAck& message);
void encode(Bytes& out, const Goodbye& message);
void encode(Bytes& out, const GoAway& message);
void encode(Bytes& out, const ControlCommand& message);
void encode(Bytes& out, const ControlReply& message);
// By hand, without protobuf objects: one a batch, which may be one event. About 50 ns with its envelope.
void encode(Bytes& out, const Ack& message);

// Each in its envelope, ready for the socket.
void append_message(Bytes& out, const Hello& message);
void append_message(Bytes& out, const HelloAck& message);
void append_message(Bytes& out, const Heartbeat& message);
void append_message(Bytes& out, const HeartbeatAck& message);
void append_message(Bytes& out, const Goodbye& message);
void append_message(Bytes& out, const GoAway& message);
void append_message(Bytes& out, const ControlCommand& message);
void append_message(Bytes& out, const ControlReply& message);
void append_message(Bytes& out, const Ack& message);

// `semantic` mode: the canonical bytes of the same meaning, by literal decode and re-encode. The header, strict in
// every mode, comes back byte for byte. About 0.8 µs an event, and for the moment several times the memory of the
// batch. The offset of what is not valid text or no known value counts in the canonical bytes.
std::expected<Bytes, Malformed> canonical_form(ByteView batch);

}  // namespace nissa::wire
