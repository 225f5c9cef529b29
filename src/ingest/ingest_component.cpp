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
// For the last acks to be written, after the ledger has said its last word.
constexpr std::int64_t flush_ns = ns_per_s;

struct Session {
  Session(Lobby& lobby, const net::Connection& connection)
      : strand(connection.strand), flow(lobby, connection.strand, connection.stream, connection.peer) {}
  const Strand strand;
  SessionFlow flow;
};

enum class Stage : std::uint8_t {
  serving,
  leaving,  // who is here, or comes now, is told to go away
  cutting,  // nothing is waited for any more
};

}  // namespace

struct IngestComponent::Inside {
  Inside(EventLoop& loop, Lobby& the_lobby)
      : lobby(the_lobby),
        strand(loop),
        changed(strand),
        sweeping(strand),
        listener(loop, lobby.door.timers,
                 {lobby.door.options.address, lobby.door.options.port, lobby.door.options.max_connections},
                 [this](net::Connection connection) { return serve(std::move(connection)); }) {}

  Task<void> serve(net::Connection connection) {
    const auto session = std::make_shared<Session>(lobby, connection);
    lobby.door.books.connections.add();
    lobby.door.books.open_connections.add();
    co_await run_on(strand, [this, session] {
      strand.entered();
      sessions.insert(session);
      tell(session);
    });
    co_await session->flow.run();
    lobby.door.books.open_connections.subtract();
    co_await run_on(strand, [this, session] {
      strand.entered();
      sessions.erase(session);
      if (sessions.empty()) changed.wake_all();
    });
  }

  void tell(const std::shared_ptr<Session>& session) NISSA_REQUIRES(strand) {
    if (stage == Stage::leaving) post_to(session->strand, [session] { session->flow.go_away(); });
    if (stage == Stage::cutting) post_to(session->strand, [session] { session->flow.cut(); });
  }
  void tell_all(Stage next) NISSA_REQUIRES(strand) {
    stage = next;
    for (const auto& session : sessions) tell(session);
  }

  Task<void> sweep() {
    strand.entered();
    while (stage == Stage::serving) {
      if (co_await sweeping.park_until(lobby.door.timers, lobby.door.timers.now() + sweep_ns) == Woken::cancelled)
        break;
      const BootNs now = lobby.door.clock.boot_ns();
      for (const auto& session : sessions)
        if (session->flow.wants_attention(now)) post_to(session->strand, [session, now] { session->flow.attend(now); });
    }
    swept.open();
  }

  // Waits for the sessions to end, and sees to it that they do.
  Task<void> see_off(std::int64_t grace_ns) {
    strand.entered();
    co_await wait_for_last(grace_ns);
    if (!sessions.empty()) {
      co_await lobby.door.ledger.async_drain(lobby.door.timers.now());
      co_await wait_for_last(flush_ns);
    }
    tell_all(Stage::cutting);
    while (!sessions.empty()) co_await changed.park();
    seen_off.open();
  }
  Task<void> wait_for_last(std::int64_t ns) {
    strand.entered();
    const BootNs deadline = lobby.door.timers.now() + ns;
    while (!sessions.empty() && lobby.door.timers.now() < deadline)
      if (co_await changed.park_until(lobby.door.timers, deadline) == Woken::cancelled) break;
  }

  Lobby& lobby;
  const Strand strand;
  std::unordered_set<std::shared_ptr<Session>> sessions NISSA_GUARDED_BY(strand);
  Stage stage NISSA_GUARDED_BY(strand) = Stage::serving;
  Parking changed NISSA_GUARDED_BY(strand);   // see_off, while sessions live
  Parking sweeping NISSA_GUARDED_BY(strand);  // the sweep, between two looks
  bool started = false;                       // before anything runs
  Latch swept;
  Latch seen_off;
  net::TcpListener listener;
};

IngestComponent::IngestComponent(EventLoop& loop, Lobby& lobby) : inside_(std::make_unique<Inside>(loop, lobby)) {}
IngestComponent::~IngestComponent() = default;

Status IngestComponent::open() { return inside_->listener.open(); }
std::uint16_t IngestComponent::port() const { return inside_->listener.port(); }

void IngestComponent::start() {
  inside_->started = true;
  if (port() != 0) inside_->listener.start();
  spawn_on(inside_->strand, inside_->sweep());
}

Task<void> IngestComponent::serve(net::Connection connection) { return inside_->serve(std::move(connection)); }

Task<void> IngestComponent::async_stop(std::int64_t grace_ns) {
  const auto in = inside_.get();
  co_await run_on(in->strand, [in] {
    in->strand.entered();
    in->tell_all(Stage::leaving);
    in->sweeping.wake_all();
  });
  spawn_on(in->strand, in->see_off(grace_ns));
  co_await in->lobby.door.overload.async_stop();
  co_await in->listener.async_stop(grace_ns + 2 * flush_ns);
  co_await in->seen_off.wait();
  if (in->started) co_await in->swept.wait();
}

}  // namespace nissa::ingest
