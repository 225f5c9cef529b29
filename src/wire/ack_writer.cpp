// Ack and the envelopes: written by hand, for an answer goes out for every batch, and a batch may be one event.
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {
namespace {

class FieldWriter {
 public:
  explicit FieldWriter(Bytes& out) : out_(out), writer_(out) {}
  void varint(unsigned number, std::uint64_t value) {
    out_.push_back(tag_of(number, WireType::varint));
    writer_.varint(value);
  }
  // Of a field above 15, whose tag takes two bytes.
  void far_varint_unless_zero(unsigned number, std::uint64_t value) {
    if (value == 0) return;
    writer_.varint(std::uint64_t{number} << 3 | static_cast<std::uint64_t>(WireType::varint));
    writer_.varint(value);
  }
  void varint_unless_zero(unsigned number, std::uint64_t value) {
    if (value != 0) varint(number, value);
  }
  void fixed(unsigned number, std::uint64_t value) {
    out_.push_back(tag_of(number, WireType::fixed64));
    writer_.fixed(value);
  }
  void text(unsigned number, std::string_view value) {
    if (value.empty()) return;
    writer_.varint(std::uint64_t{number} << 3 | static_cast<std::uint64_t>(WireType::bytes));  // may be above 15
    writer_.text(value);
  }
  void begin(unsigned number, std::size_t size) {
    out_.push_back(tag_of(number, WireType::bytes));
    writer_.varint(size);
  }

 private:
  Bytes& out_;
  ByteWriter writer_;
};

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace

void encode(Bytes& out, const Ack& ack) {
  FieldWriter write(out);
  if (ack.key) {
    write.fixed(1, ack.key->epoch);
    write.varint(2, static_cast<std::uint64_t>(ack.key->priority));
    write.varint(3, ack.key->sequence);
  }
  write.varint(4, static_cast<std::uint64_t>(ack.status));
  write.varint_unless_zero(5, static_cast<std::uint64_t>(ack.reason));
  write.varint_unless_zero(6, ack.final ? 1 : 0);
  write.varint_unless_zero(7, ack.retry_after_ms);
  if (ack.status == AckStatus::malformed) write.varint(8, ack.byte_offset);
  write.text(9, ack.field);
  if (ack.status == AckStatus::counted) {
    write.varint(10, ack.accepted);
    write.varint_unless_zero(11, ack.late);
    for (std::size_t i = 0; i < ack.rejected.size(); ++i) {
      if (ack.rejected[i] == 0) continue;
      write.begin(12, 2 + 1 + varint_size(ack.rejected[i]));
      write.varint(1, i + 1);
      write.varint(2, ack.rejected[i]);
    }
    write.varint_unless_zero(13, zigzag(ack.clock_skew_ms));
  }
  if (ack.now) {
    write.begin(14, 9 + 1 + varint_size(ack.now->running_ms));
    write.fixed(1, ack.now->state_id);
    write.varint(2, ack.now->running_ms);
  }
  write.varint_unless_zero(15, static_cast<std::uint64_t>(ack.mode));
  write.text(16, ack.unkeyed ? "none" : "");
  write.text(17, ack.message);
  if (ack.status == AckStatus::counted) write.far_varint_unless_zero(18, ack.unmatched);
}

namespace {

// Into a buffer of the thread, which keeps its room, then behind its prefix: a copy of some tens of bytes.
template <class Kind, class Message>
void append_enveloped(Bytes& out, Kind kind, const Message& message) {
  thread_local Bytes payload;
  payload.clear();
  encode(payload, message);
  append_frame(out, kind, payload);
}

}  // namespace

void append_message(Bytes& out, const Hello& message) { append_enveloped(out, FrameKind::hello, message); }
void append_message(Bytes& out, const Heartbeat& message) { append_enveloped(out, FrameKind::heartbeat, message); }
void append_message(Bytes& out, const Goodbye& message) { append_enveloped(out, FrameKind::goodbye, message); }
void append_message(Bytes& out, const ControlCommand& message) { append_enveloped(out, FrameKind::control, message); }
void append_message(Bytes& out, const HelloAck& message) { append_enveloped(out, ServerFrameKind::hello_ack, message); }
void append_message(Bytes& out, const Ack& message) { append_enveloped(out, ServerFrameKind::ack, message); }
void append_message(Bytes& out, const ControlReply& message) {
  append_enveloped(out, ServerFrameKind::control_reply, message);
}
void append_message(Bytes& out, const HeartbeatAck& message) {
  append_enveloped(out, ServerFrameKind::heartbeat_ack, message);
}
void append_message(Bytes& out, const GoAway& message) { append_enveloped(out, ServerFrameKind::go_away, message); }

}  // namespace nissa::wire
