#include "ingest/ingest_component.hpp"

#include <unordered_set>

#include "async/latch.hpp"
#include "async/strand.hpp"
#include "ingest/session_flow.hpp"
#include "net/connection.hpp"
#include "net/tcp_listener.hpp"

namespace nissa::ingest {
namespace {

// One look at all connections a second is cheaper than a timer each.
constexpr std::int64_t sweep_ns = ns_per_s;

struct Session {
  Session(Door& door, const net::Connection& connection)
      : strand(connection.strand), flow(door, connection.strand, connection.stream, connection.peer) {}
  Strand strand;
  SessionFlow flow;
};

}  // namespace

struct IngestComponent::Inside {
  Inside(EventLoop& loop, const Door& the_door)
      : door(the_door),
        strand(loop),
        stop_sweeping(strand),
        listener(loop, door.timers, {door.options.address, door.options.port, door.options.max_connections},
                 [this](net::Connection connection) { return serve(std::move(connection)); }) {}

  Task<void> serve(net::Connection connection) {
    auto session = std::make_shared<Session>(door, connection);
    door.books.connections.add();
    door.books.open_connections.add();
    co_await run_on(strand, [this, session] {
      strand.entered();
      sessions.insert(session);
      if (stopping) say_go_away(session);
    });
    co_await session->flow.run();
    door.books.open_connections.subtract();
    co_await run_on(strand, [this, session] {
      strand.entered();
      sessions.erase(session);
    });
  }

  static void say_go_away(const std::shared_ptr<Session>& session) {
    post_to(session->strand, [session] { session->flow.go_away(); });
  }

  Task<void> sweep() {
    strand.entered();
    while (!stopping) {
      if (co_await stop_sweeping.park_until(door.timers, door.timers.now() + sweep_ns) == Woken::cancelled) break;
      const BootNs now = door.clock.boot_ns();
      for (const auto& session : sessions)
        if (const auto reason = session->flow.overdue(now))
          post_to(session->strand, [session, reason = *reason] { session->flow.expire(reason); });
    }
    swept.open();
  }

  Door door;
  Strand strand;
  std::unordered_set<std::shared_ptr<Session>> sessions NISSA_GUARDED_BY(strand);
  bool stopping NISSA_GUARDED_BY(strand) = false;
  Parking stop_sweeping NISSA_GUARDED_BY(strand);
  Latch swept;
  net::TcpListener listener;
};

IngestComponent::IngestComponent(EventLoop& loop, const Door& door) : inside_(std::make_unique<Inside>(loop, door)) {}
IngestComponent::~IngestComponent() = default;

Status IngestComponent::open() { return inside_->listener.open(); }
std::uint16_t IngestComponent::port() const { return inside_->listener.port(); }

void IngestComponent::start() {
  inside_->listener.start();
  spawn_on(inside_->strand, inside_->sweep());
}

Task<void> IngestComponent::async_stop(std::int64_t grace_ns) {
  co_await run_on(inside_->strand, [in = inside_.get()] {
    in->strand.entered();
    in->stopping = true;
    for (const auto& session : in->sessions) Inside::say_go_away(session);
    in->stop_sweeping.wake_all();
  });
  co_await inside_->listener.async_stop(grace_ns);
  co_await inside_->swept.wait();
}

}  // namespace nissa::ingest
