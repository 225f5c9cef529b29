// A connection as the flow sees it: TCP, TLS or memory. The seam of the simulator: what talks through this runs in it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "async/task.hpp"
#include "base/bytes.hpp"

namespace nissa {

// Why no more bytes come or go.
enum class StreamEnd : std::uint8_t {
  finished,  // the other side ended in order
  broken,    // reset, unreachable, timed out in the kernel
  closed,    // we closed it
};
constexpr const char* name_of(StreamEnd end) {
  return end == StreamEnd::finished ? "finished" : end == StreamEnd::broken ? "broken" : "closed";
}

// Held by shared_ptr. Reading and writing on the stream's own strand; at most one reader and one writer at a time.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Waits until read_some would not wait, holding no buffer: what an idle connection does.
  virtual Task<std::expected<void, StreamEnd>> wait_readable() = 0;
  // At least one byte, unless the buffer is empty. The buffer lives until it returns.
  virtual Task<std::expected<std::size_t, StreamEnd>> read_some(std::span<Byte> buffer) = 0;
  // All of them, or the end. The bytes live until it returns.
  virtual Task<std::expected<void, StreamEnd>> write(ByteView bytes) = 0;
  // Ends both directions; who reads or writes gets `closed` (bytes that read_some had at hand may still come first).
  // Any thread, more than once, returns at once.
  virtual void close() = 0;
};

// What the other side calls itself by: what limits count by when there is no token.
struct PeerAddress {
  std::string text;  // "127.0.0.1", "2001:db8::1"; "memory" in the simulator
  std::uint16_t port = 0;
  bool loopback = false;
};

}  // namespace nissa
