// The agents' door over TCP: listens, runs a session_flow a connection, closes those that are overdue.
//
// Thread statement: open() and start() once, before the loop runs; serve() on the connection's strand; async_stop()
// from any thread, once. Bounds: max_connections, beyond which the kernel's backlog holds the rest; an idle connection
// holds no buffer.
#pragma once
#include <cstdint>
#include <memory>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/result.hpp"
#include "ingest/books.hpp"
#include "ingest/door.hpp"

namespace nissa::net {
struct Connection;  // net/connection.hpp
}

namespace nissa::ingest {

class IngestComponent {
 public:
  // The lobby outlives it.
  IngestComponent(EventLoop& loop, Lobby& lobby);
  ~IngestComponent();

  // Takes the address. Fails with address, port and the system's words.
  Status open();
  std::uint16_t port() const;
  // Listens, if it was opened.
  void start();
  // One connection from its first byte to its last ack: what the listener runs for each.
  Task<void> serve(net::Connection connection);

  // Stops accepting, says GoAway on each connection, stops the gate's byte line (who waits there would not leave),
  // answers what is in hand. What is not answered after grace_ns the ledger is asked to drain at once, and what has
  // not been written a second later is cut. Returns when the last session has ended.
  Task<void> async_stop(std::int64_t grace_ns);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::ingest
