// Frames of the TCP stream: a varint length, then that many bytes of ClientFrame (up) or ServerFrame (down), each of
// which holds exactly one message: its tag, its length, its bytes. Pure: looks at a buffer, copies and keeps nothing,
// so that any cutting of the stream into reads gives the same frames. Costs a few ns a call.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/refusal.hpp"

namespace nissa::wire {

// Numbers are the fields of nissa.v2.ClientFrame and ServerFrame.
enum class FrameKind : std::uint8_t { unknown = 0, hello = 1, batch = 2, control = 3, heartbeat = 4, goodbye = 5 };
enum class ServerFrameKind : std::uint8_t {
  unknown = 0,
  hello_ack = 1,
  ack = 2,
  control_reply = 3,
  heartbeat_ack = 4,
  go_away = 5
};

enum class FrameStatus : std::uint8_t {
  need_more,  // incomplete; what is known already is told
  complete,   // `payload` is the whole message; its neighbours begin `size` bytes on
  malformed,  // not a frame, for `reason`; skip `size` bytes (which may not all be there yet) and go on
  lost,       // the length is unreadable: where the next frame begins cannot be known
};

template <class Kind>
struct FrameStep {
  FrameStatus status = FrameStatus::need_more;
  Reason reason = Reason::none;  // malformed, lost
  Kind kind = Kind::unknown;     // as soon as the tag is there; with malformed too
  std::uint32_t offset = 0;      // malformed: of the fault, from the first byte of the frame
  std::size_t size = 0;          // of the frame, its length prefix included; 0: not known yet
  std::size_t wanted = 0;        // need_more: how many bytes from the frame's first on must be there to get further
  ByteView payload;              // of the message; with need_more and malformed what is there of it
  std::size_t payload_size = 0;  // of the whole message; 0 while unknown
};

// `unread` begins with a frame; `max_frame` bounds the bytes behind the length prefix. A frame beyond that bound is
// malformed (frame_too_large) as soon as a batch's header can be peeked in it, so that the answer can name the batch.
FrameStep<FrameKind> next_client_frame(ByteView unread, std::size_t max_frame);
FrameStep<ServerFrameKind> next_server_frame(ByteView unread, std::size_t max_frame);

// Appends all of a frame that stands before the payload: for one that is written from where it lies.
void append_frame_prefix(Bytes& out, FrameKind kind, std::size_t payload_size);
void append_frame_prefix(Bytes& out, ServerFrameKind kind, std::size_t payload_size);
void append_frame(Bytes& out, FrameKind kind, ByteView payload);
void append_frame(Bytes& out, ServerFrameKind kind, ByteView payload);

// The most that a prefix takes: what must be free before a payload that is encoded in place.
inline constexpr std::size_t max_frame_prefix = 11;

}  // namespace nissa::wire
