// The agents' door over HTTP: POST /v2/telemetry, GET /v2/hello, POST /v2/goodbye. docs/protocol.md, "HTTP".
//
// Place in the flow: as ingest_component, but a request is a batch and its response the ack, and nobody is held: what
// cannot be taken now is refused from the headers, before the body is read.
//
// Thread statement: open() and start() once, before the loop runs; serve() on the connection's strand; async_stop()
// from any thread, once. Bounds: max_http_connections; a body by what the gate granted for it; an idle connection holds
// no buffer, one between its first byte and its body 40 KiB at most.
#pragma once
#include <cstdint>
#include <memory>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "base/result.hpp"
#include "ingest/door.hpp"

namespace nissa::net {
struct Connection;  // net/connection.hpp
}

namespace nissa::ingest {

class HttpIngestComponent {
 public:
  // The lobby outlives it.
  HttpIngestComponent(EventLoop& loop, Lobby& lobby);
  ~HttpIngestComponent();

  // Takes the address. Fails with address, port and the system's words.
  Status open();
  std::uint16_t port() const;
  void start();
  // One connection to its end: what the listener runs for each.
  Task<void> serve(net::Connection connection);

  // Stops accepting, closes idle connections, answers what is in hand. What is not answered after grace_ns the ledger
  // is asked to drain at once, and what has not been written a second later is cut.
  Task<void> async_stop(std::int64_t grace_ns);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::ingest
