#include "wire/event_writer.hpp"

#include <array>
#include <cstring>

namespace nissa::wire {
namespace {

std::size_t text_size(std::string_view text) { return varint_size(text.size()) + text.size(); }

void append_text(Bytes& out, unsigned number, std::string_view text) {
  out.push_back(tag_of(number, WireType::bytes));
  ByteWriter(out).text(text);
}

// Of the event itself, without its tag and length.
std::size_t content_size(const EventHead& head, ByteView identity) {
  return (head.time_unix_ns ? 9 : 0) + (head.duration_ns ? 9 : 0) + (head.outcome != EventOutcome::ok ? 2 : 0) +
         (head.request_id.empty() ? 0 : 1 + text_size(head.request_id)) + identity.size();
}

}  // namespace

void append_identity(Bytes& out, std::string_view service, std::string_view operation,
                     std::span<const LabelView> labels) {
  if (!service.empty()) append_text(out, 8, service);
  if (!operation.empty()) append_text(out, 9, operation);
  for (const LabelView& label : labels) {
    out.push_back(tag_of(10, WireType::bytes));
    ByteWriter(out).varint(1 + text_size(label.key) + 1 + text_size(label.value));
    append_text(out, 1, label.key);
    append_text(out, 2, label.value);
  }
}

void append_event(Bytes& body, const EventHead& head, ByteView identity) {
  // Tag and length of the event, time, duration, outcome: put together aside, so that the body grows once for them.
  std::array<Byte, 1 + max_varint_size + 9 + 9 + 2> front;
  Byte* at = front.data();
  const auto number = [&at](unsigned field, std::uint64_t value) {
    *at++ = tag_of(field, WireType::fixed64);
    std::memcpy(at, &value, sizeof value);
    at += sizeof value;
  };
  *at++ = tag_of(10, WireType::bytes);
  std::size_t size = content_size(head, identity);
  for (; size >= 0x80; size >>= 7) *at++ = static_cast<Byte>(size | 0x80);
  *at++ = static_cast<Byte>(size);
  if (head.time_unix_ns) number(1, *head.time_unix_ns);
  if (head.duration_ns) number(2, *head.duration_ns);
  if (head.outcome != EventOutcome::ok) {
    *at++ = tag_of(3, WireType::varint);
    *at++ = static_cast<Byte>(head.outcome);
  }
  body.insert(body.end(), front.data(), at);
  if (!head.request_id.empty()) append_text(body, 4, head.request_id);
  body.insert(body.end(), identity.begin(), identity.end());
}

std::size_t event_size(const EventHead& head, ByteView identity) {
  const std::size_t content = content_size(head, identity);
  return 1 + varint_size(content) + content;
}

}  // namespace nissa::wire
