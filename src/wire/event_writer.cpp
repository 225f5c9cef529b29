#include "wire/event_writer.hpp"

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
  ByteWriter writer(body);
  body.push_back(tag_of(10, WireType::bytes));
  writer.varint(content_size(head, identity));
  if (head.time_unix_ns) {
    body.push_back(tag_of(1, WireType::fixed64));
    writer.fixed(*head.time_unix_ns);
  }
  if (head.duration_ns) {
    body.push_back(tag_of(2, WireType::fixed64));
    writer.fixed(*head.duration_ns);
  }
  if (head.outcome != EventOutcome::ok) {
    body.push_back(tag_of(3, WireType::varint));
    body.push_back(static_cast<Byte>(head.outcome));
  }
  if (!head.request_id.empty()) append_text(body, 4, head.request_id);
  writer.raw(identity);
}

std::size_t event_size(const EventHead& head, ByteView identity) {
  const std::size_t content = content_size(head, identity);
  return 1 + varint_size(content) + content;
}

}  // namespace nissa::wire
