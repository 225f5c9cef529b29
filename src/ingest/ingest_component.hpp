// The agents' door over TCP: listens, runs a session_flow a connection, closes those that are overdue.
//
// Thread statement: open() and start() once, before the loop runs; async_stop() from any thread, once; the books from
// any thread. Bounds: max_connections, beyond which the kernel's backlog holds the rest; an idle connection holds no
// buffer.
#pragma once
#include <cstdint>
#include <memory>

#include "async/event_loop.hpp"
#include "async/task.hpp"
#include "async/timer.hpp"
#include "base/result.hpp"
#include "ingest/books.hpp"
#include "ingest/door.hpp"

namespace nissa::ingest {

class IngestComponent {
 public:
  // `door`'s owners outlive the component.
  IngestComponent(EventLoop& loop, const Door& door);
  ~IngestComponent();

  // Takes the address. Fails with address, port and the system's words.
  Status open();
  std::uint16_t port() const;
  void start();

  // Stops accepting, says GoAway on each connection, answers what is in hand, at most grace_ns long; returns when the
  // last session has ended.
  Task<void> async_stop(std::int64_t grace_ns);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::ingest
