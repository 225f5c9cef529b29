// Frames as an agent writes them, and the faults that an agent may make.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "wire/frame.hpp"
#include "wire/header_peek.hpp"
#include "wire/messages.hpp"
#include "wire/varint.hpp"

namespace nissa::test {

struct AgentEvent {
  std::optional<std::uint64_t> time_unix_ns;
  unsigned outcome = 0;
  std::string request_id;
  std::string service = "shop";
  std::string operation;
  unsigned labels = 0;
};

inline void put_text(Bytes& out, unsigned number, std::string_view text) {
  ByteWriter writer(out);
  out.push_back(wire::tag_of(number, wire::WireType::bytes));
  writer.text(text);
}

inline Bytes encoded(const AgentEvent& event) {
  Bytes out;
  ByteWriter writer(out);
  if (event.time_unix_ns) {
    out.push_back(wire::tag_of(1, wire::WireType::fixed64));
    writer.fixed(*event.time_unix_ns);
  }
  if (event.outcome != 0) {
    out.push_back(wire::tag_of(3, wire::WireType::varint));
    writer.varint(event.outcome);
  }
  if (!event.request_id.empty()) put_text(out, 4, event.request_id);
  if (!event.service.empty()) put_text(out, 8, event.service);
  if (!event.operation.empty()) put_text(out, 9, event.operation);
  for (unsigned i = 0; i < event.labels; ++i) {
    Bytes label;
    put_text(label, 1, "k" + std::to_string(i));
    put_text(label, 2, "v");
    put_text(out, 10, as_text(label));
  }
  return out;
}

inline Bytes body_of(const std::vector<AgentEvent>& events) {
  Bytes out;
  for (const AgentEvent& event : events) put_text(out, 10, as_text(encoded(event)));
  return out;
}
inline Bytes body_of(std::size_t events) { return body_of(std::vector<AgentEvent>(events)); }
// Exactly so many bytes (at least 100): many events, the last one padded.
inline Bytes body_of_size(std::size_t size) {
  AgentEvent plain;
  plain.operation = std::string(180, 'o');
  const Bytes whole = body_of({plain});
  Bytes out;
  while (size - out.size() >= whole.size() + 60) ByteWriter(out).raw(whole);
  const std::size_t rest = size - out.size();
  // A length that grows by a byte leaves a gap; a request_id fills it.
  for (const char* id : {"", "r"}) {
    for (AgentEvent last; last.operation.size() < rest; last.operation += 'o') {
      last.request_id = id;
      const Bytes one = body_of({last});
      if (one.size() != rest) continue;
      ByteWriter(out).raw(one);
      return out;
    }
  }
  return {};
}
inline std::uint32_t events_in(ByteView body) {
  std::uint32_t count = 0;
  ByteReader reader(body);
  for (; !reader.failed() && !reader.at_end(); ++count) {
    reader.varint();
    reader.text();
  }
  return count;
}

inline Bytes payload_of(const wire::BatchHeader& header, ByteView body) {
  Bytes payload;
  wire::append_header(payload, header);
  ByteWriter(payload).raw(body);
  return payload;
}
inline Bytes batch_frame(const wire::BatchHeader& header, ByteView body) {
  Bytes out;
  wire::append_frame(out, wire::FrameKind::batch, payload_of(header, body));
  return out;
}
template <class Message>
Bytes frame_of(const Message& message) {
  Bytes out;
  wire::append_message(out, message);
  return out;
}
// One that this version does not know: field 14, empty.
inline Bytes unknown_frame() { return {2, 0x72, 0}; }
// A length of more than 32 bits: where the next frame begins cannot be known.
inline Bytes lost_framing() { return {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}; }

inline void append(Bytes& to, ByteView more) { ByteWriter(to).raw(more); }

}  // namespace nissa::test
