// The one connection of a class: turns what its Stream wants into bytes on a socket and what comes back into the
// Stream's inputs. Connects when there is something to send, says Hello, measures the round trip by heartbeats (which
// keep an idle connection alive), and coalesces all that may be sent into one write.
//
// A component: one loop coroutine on the strand that it was given, and one reader a connection, on the same strand.
// Bounds: one write buffer of write_bytes and one frame, one read buffer of 16 KiB, beside what the Stream holds.
// It is the same for the agent library, the load generator and the simulator: they differ in the BatchSource.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "client/stream.hpp"

namespace nissa {
class ByteStream;
class Strand;
class Timers;
}  // namespace nissa

namespace nissa::client {

// Where batches come from and what becomes of them. Every call on the connection's strand.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // Enqueues what is due, as far as the stream takes it. Returns when to ask again without being woken.
  virtual std::optional<BootNs> fill(Stream& stream, BootNs now) = 0;
  virtual void settled(const Settlement& settlement, BootNs now) = 0;
  // A batch got its key (this header's; another one before, if it was keyed anew) and is about to be sent for the first
  // time; a Goodbye for an epoch is about to be said. For sources that must keep this through a crash: nothing goes out
  // before before_write() said true. False: the connection is given up, and tried again later.
  virtual void keyed(const wire::BatchHeader& header, const Body& body) {
    (void)header;
    (void)body;
  }
  virtual void goodbye(Epoch epoch) { (void)epoch; }
  virtual bool before_write() { return true; }
  // The body's bytes, the same at each sending: for sources that leave Body::bytes empty.
  virtual void append_body(const Body& body, Bytes& out);
  // HelloAck came, or the connection ended (`why`) or could not be made. For logs and counters. The end in order, after
  // async_stop(), is not told.
  virtual void link_changed(bool up, std::string_view why) {
    (void)up;
    (void)why;
  }
  virtual void noticed(const Notice& notice) { (void)notice; }
};

struct ConnectionOptions {
  std::string agent;  // the self-declared name, at most 96 bytes
  std::string token;
  std::int64_t connect_within_ns = 5 * ns_per_s;    // until HelloAck
  std::int64_t heartbeat_every_ns = 20 * ns_per_s;  // without anything sent
  std::int64_t dead_after_ns = 60 * ns_per_s;       // nothing heard, or a write that stands still, for so long
  std::size_t write_bytes = 256 * 1024;             // a write is begun beyond this; 1: one batch a write
};

// Opens a connection by the deadline; awaited on the strand, where the stream will live.
using Connector = std::function<Task<Result<std::shared_ptr<ByteStream>>>(BootNs deadline)>;

class Connection {
 public:
  // What is referred to outlives it. Nothing happens before start().
  Connection(const Strand& strand, Timers& timers, const Clock& clock, ConnectionOptions options, Stream stream,
             BatchSource& source, Connector connector);
  ~Connection();  // after async_stop(), or if it was never started

  void start();
  // The source has something new. Any thread; about 0.3 µs.
  void wake();
  // Any thread, once, after start(). Asks the source for the last time at each step until all is settled or the
  // deadline has passed; then gives up what is held and returns. A connection attempt that is under way then is left
  // behind; it refers to the timers, the strand and what the connector holds, and ends at once when the timers stop.
  Task<void> async_stop(BootNs deadline);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::client
