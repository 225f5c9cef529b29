#include "client/body_split.hpp"

#include "base/violation.hpp"
#include "wire/varint.hpp"

namespace nissa::client {
namespace {

// Of the event that `rest` begins with, its tag and length included; 0 if it begins with none.
std::size_t size_of_first(ByteView rest) {
  if (rest.empty() || rest[0] != wire::tag_of(10, wire::WireType::bytes)) return 0;
  const Byte* at = rest.data() + 1;
  std::uint64_t length = 0;
  if (wire::read_varint(at, rest.data() + rest.size(), length) != Reason::none) return 0;
  const auto front = static_cast<std::size_t>(at - rest.data());
  return length <= rest.size() - front ? front + static_cast<std::size_t>(length) : 0;
}

}  // namespace

std::vector<Body> split_body(const Body& body, std::uint32_t max_events, std::uint32_t max_bytes) {
  std::vector<Body> parts;
  ByteView rest = body.bytes;
  while (!rest.empty()) {
    const std::size_t size = size_of_first(rest);
    if (size == 0) {
      violation("client", "a body to be split holds events and nothing else");
      return {body};
    }
    const bool fits = !parts.empty() && parts.back().event_count < max_events && parts.back().size + size <= max_bytes;
    if (!fits) parts.push_back(Body{{}, 0, 0, body.tag});
    Body& part = parts.back();
    part.bytes.insert(part.bytes.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    part.size = static_cast<std::uint32_t>(part.bytes.size());
    ++part.event_count;
    rest = rest.subspan(size);
  }
  return parts;
}

}  // namespace nissa::client
