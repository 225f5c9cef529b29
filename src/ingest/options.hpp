// Limits of the agents' door. docs/configuration.md has a row for each.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace nissa::ingest {

// Read buffers kept warm for reuse, beside what the gate grants.
inline constexpr std::size_t kept_buffer_bytes = std::size_t{8} << 20;

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7440;  // 0: any free one
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 7441;

  std::uint32_t max_frame_bytes = 1u << 20;
  std::uint32_t max_events = 1000;
  std::uint32_t window_batches = 256;     // between read and ack written on a connection; then it is not read
  std::uint32_t window_bytes = 1u << 20;  // told to agents: what they may have unacknowledged
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_http_connections = 1'000;

  // Over HTTP, where max_frame_bytes bounds a body as it is sent.
  std::uint32_t max_inflated_bytes = 4u << 20;  // of protobuf, from gzip
  std::uint32_t max_json_bytes = 64u << 10;     // of JSON, inflated

  std::int64_t hello_timeout_ms = 10'000;  // connected, but no Hello
  std::int64_t frame_timeout_ms = 10'000;  // a frame begun, but not complete
  std::int64_t idle_timeout_ms = 60'000;   // nothing read, nothing under way; or a write without progress
};

// The most that one batch may be granted by the gate, over either door.
std::size_t most_room(const Options& options);

}  // namespace nissa::ingest
