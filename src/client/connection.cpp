#include "client/connection.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "async/byte_stream.hpp"
#include "async/latch.hpp"
#include "async/parking.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"
#include "async/watchdog.hpp"
#include "client/connect_attempt.hpp"
#include "client/explain.hpp"
#include "client/server_frames.hpp"
#include "wire/frame.hpp"

namespace nissa::client {

void BatchSource::append_body(const Body& body, Bytes& out) {
  out.insert(out.end(), body.bytes.begin(), body.bytes.end());
}

namespace {

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::string_view http_instead =
    "it answers in HTTP and does not speak Nissa's TCP protocol: is the port right? (7440; 7441 and 7442 are HTTP)";

// One connection's life.
struct Session {
  Session(std::shared_ptr<ByteStream> stream, Timers& timers) : bytes(std::move(stream)), watchdog(timers, bytes) {}
  std::shared_ptr<ByteStream> bytes;
  Watchdog watchdog;
  Latch read_ended;
  bool over = false;      // nothing more comes
  bool welcomed = false;  // HelloAck came
  std::string why;        // it ended
  std::optional<Reason> sent_away;
  BootNs welcome_by = 0;
  BootNs heard_at = 0;
  BootNs heartbeat_at = 0;
  UnixNs stamp_wall_ns = 0;  // of the last Hello or Heartbeat, which the server echoes
  BootNs stamp_boot_ns = 0;
  std::optional<std::uint64_t> round_trip_ns;

  void end(std::string reason) {
    if (!over) why = sent_away ? why_sent_away(*sent_away) : std::move(reason);
    over = true;
  }
};

}  // namespace

struct Connection::Inside {
  Inside(const Strand& on, Timers& all_timers, const Clock& the_clock, ConnectionOptions opts, Stream core,
         BatchSource& from, Connector how)
      : strand(on),
        timers(all_timers),
        clock(the_clock),
        options(std::move(opts)),
        source(from),
        connector(std::move(how)),
        stream(std::move(core)),
        idle(on) {}

  Strand strand;
  Timers& timers;
  const Clock& clock;
  const ConnectionOptions options;
  BatchSource& source;
  const Connector connector;
  Latch ended;
  Stream stream NISSA_GUARDED_BY(strand);
  Parking idle NISSA_GUARDED_BY(strand);
  std::shared_ptr<Session> session NISSA_GUARDED_BY(strand);
  Bytes out NISSA_GUARDED_BY(strand);
  Bytes header NISSA_GUARDED_BY(strand);
  std::vector<Settlement> settlements NISSA_GUARDED_BY(strand);
  std::vector<Notice> notices NISSA_GUARDED_BY(strand);
  std::optional<BootNs> stop_by NISSA_GUARDED_BY(strand);

  Task<void> run();
  Action gather(BootNs now) NISSA_REQUIRES(strand);
  Task<void> connect(std::optional<Epoch> epoch);
  Task<void> read(std::shared_ptr<Session> mine);
  Task<void> write();
  Task<void> end_session();
  BootNs wake_at(const Action& action, std::optional<BootNs> due) const NISSA_REQUIRES(strand);
  bool keep_alive(BootNs now) NISSA_REQUIRES(strand);
  void stamp(Session& on) NISSA_REQUIRES(strand);
  void append_batch(const Action& action, UnixNs sent_at) NISSA_REQUIRES(strand);
  void hear(Session& from, const ServerFrame& frame) NISSA_REQUIRES(strand);
  void echoed(Session& from, std::uint64_t stamp_unix_ns) NISSA_REQUIRES(strand);
  bool report(BootNs now) NISSA_REQUIRES(strand);
};

Task<void> Connection::Inside::run() {
  strand.entered();
  bool cancelled = false;
  while (!cancelled) {
    const BootNs now = timers.now();
    const std::optional<BootNs> due = source.fill(stream, now);
    if (stop_by) {
      if (now >= *stop_by) stream.give_up();
      stream.finish();
    }
    const bool dead = session && !keep_alive(now);
    if (dead || (session && session->over)) {
      co_await end_session();
      continue;
    }
    const Action action = gather(now);
    const bool told = report(now);
    if (action.kind == Action::Kind::connect) {
      co_await connect(action.epoch);
      continue;
    }
    if (action.kind == Action::Kind::disconnect) {
      if (session) session->end("a batch was not answered for too long");
      co_await end_session();
      continue;
    }
    if (!out.empty()) {
      co_await write();
      continue;
    }
    if (told) continue;  // what is settled may be what the source waited for
    if (stop_by && stream.finished()) break;
    cancelled = co_await idle.park_until(timers, wake_at(action, due)) == Woken::cancelled;
  }
  if (session) co_await end_session();
  stream.give_up();
  (void)report(timers.now());
  ended.open();
}

// Writes into `out` what may be sent, until that is enough for one write; tells what else is to be done.
Action Connection::Inside::gather(BootNs now) {
  const UnixNs sent_at = clock.wall_ns();
  while (out.size() < options.write_bytes) {
    Action action = stream.next(now);
    if (action.kind == Action::Kind::send_batch) {
      if (action.first) source.keyed(action.header, *action.body);
      append_batch(action, sent_at);
    } else if (action.kind == Action::Kind::send_goodbye) {
      source.goodbye(action.goodbye.epoch);
      wire::append_message(out, action.goodbye);
    } else {
      return action;
    }
  }
  return {};
}

BootNs Connection::Inside::wake_at(const Action& action, std::optional<BootNs> due) const {
  BootNs at = timers.now() + 3'600 * ns_per_s;  // none but a wake: once an hour costs nothing
  if (action.until) at = std::min(at, *action.until);
  if (due) at = std::min(at, *due);
  at = std::min(at, stream.notice_at().value_or(at));
  if (stop_by) at = std::min(at, *stop_by);
  if (!session) return at;
  if (!session->welcomed) return std::min(at, session->welcome_by);
  return std::min({at, session->heartbeat_at, session->heard_at + options.dead_after_ns});
}

// False if the connection is as good as dead.
bool Connection::Inside::keep_alive(BootNs now) {
  Session& mine = *session;
  if (mine.over) return true;
  if (!mine.welcomed) {
    if (now >= mine.welcome_by) mine.end("no HelloAck in time");
    return !mine.over;
  }
  if (now >= mine.heard_at + options.dead_after_ns) {
    mine.end("nothing heard for too long");
    return false;
  }
  if (now < mine.heartbeat_at) return true;
  stamp(mine);
  wire::append_message(out, wire::Heartbeat{static_cast<std::uint64_t>(mine.stamp_wall_ns), mine.round_trip_ns});
  return true;
}

void Connection::Inside::stamp(Session& on) {
  on.stamp_wall_ns = clock.wall_ns();
  on.stamp_boot_ns = timers.now();
  on.heartbeat_at = on.stamp_boot_ns + options.heartbeat_every_ns;
}

Task<void> Connection::Inside::connect(std::optional<Epoch> epoch) {
  strand.entered();
  const BootNs deadline = timers.now() + options.connect_within_ns;
  auto opened = co_await connect_or_stop(strand, timers, connector, deadline, idle, stop_by);
  if (!opened) {
    source.link_changed(false, opened.error().message);
    stream.connection_lost(timers.now());
    co_return;
  }
  session = std::make_shared<Session>(std::move(*opened), timers);
  session->welcome_by = deadline;
  session->heard_at = timers.now();
  stamp(*session);
  wire::Hello hello;
  hello.epoch = epoch;
  hello.agent = options.agent;
  hello.token = options.token;
  hello.sent_at_unix_ns = static_cast<std::uint64_t>(session->stamp_wall_ns);
  out.clear();
  wire::append_message(out, hello);
  spawn_on(strand, read(session));
  co_await write();
}

Task<void> Connection::Inside::write() {
  strand.entered();
  const std::shared_ptr<Session> mine = session;
  if (mine && !out.empty() && !source.before_write()) {
    mine->end("what must be kept before it is sent cannot be kept");
    out.clear();
  }
  if (mine && !out.empty()) {
    mine->watchdog.expect_within(options.dead_after_ns);
    const auto written = co_await mine->bytes->write(out);
    mine->watchdog.rest();
    if (!written) mine->end(std::string("writing failed: ") + name_of(written.error()));
    if (mine->heartbeat_at != 0) mine->heartbeat_at = timers.now() + options.heartbeat_every_ns;
  }
  out.clear();
}

void Connection::Inside::append_batch(const Action& action, UnixNs sent_at) {
  wire::BatchHeader full = action.header;
  full.agent = options.agent;
  full.sent_at_unix_ns = static_cast<std::uint64_t>(sent_at);
  header.clear();
  wire::append_header(header, full);
  wire::append_frame_prefix(out, wire::FrameKind::batch, header.size() + action.body->size);
  out.insert(out.end(), header.begin(), header.end());
  const std::size_t before = out.size();
  source.append_body(*action.body, out);
  if (out.size() - before != action.body->size) violation("client", "a body has the size it was enqueued with");
}

Task<void> Connection::Inside::read(std::shared_ptr<Session> mine) {
  strand.entered();
  ServerFrames frames(read_bytes);
  while (!mine->over) {
    const auto got = co_await mine->bytes->read_some(frames.space());
    if (!got) {
      mine->end(got.error() == StreamEnd::finished ? "the server closed the connection" : "the connection broke");
      break;
    }
    frames.filled(*got);
    mine->heard_at = timers.now();
    ServerFrame frame;
    while (!mine->over && frames.next(frame)) hear(*mine, frame);
    if (frames.http()) mine->end(std::string(http_instead));
    if (frames.lost()) mine->end("the server's frames cannot be read");
    idle.wake_all();
  }
  idle.wake_all();
  mine->read_ended.open();
}

void Connection::Inside::hear(Session& from, const ServerFrame& frame) {
  const BootNs now = timers.now();
  if (const auto* ack = std::get_if<wire::Ack>(&frame)) {
    stream.acked(*ack, now);
    if (!from.welcomed) from.end("refused by the server: " + std::string(name_of(ack->reason)));
  } else if (const auto* hello = std::get_if<wire::HelloAck>(&frame)) {
    from.welcomed = true;
    echoed(from, hello->sent_at_unix_ns);
    from.heartbeat_at = now;  // tells the server the round trip, by which it judges our clock
    stream.connected(*hello);
    source.link_changed(true, {});
  } else if (const auto* heartbeat = std::get_if<wire::HeartbeatAck>(&frame)) {
    echoed(from, heartbeat->sent_at_unix_ns);
    stream.told(heartbeat->now);
  } else if (const auto* go_away = std::get_if<wire::GoAway>(&frame)) {
    from.sent_away = go_away->reason;
    if (!from.welcomed) from.end({});
    stream.go_away(now);
  }
}

void Connection::Inside::echoed(Session& from, std::uint64_t stamp_unix_ns) {
  if (stamp_unix_ns != static_cast<std::uint64_t>(from.stamp_wall_ns)) return;
  from.round_trip_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, timers.now() - from.stamp_boot_ns));
}

Task<void> Connection::Inside::end_session() {
  strand.entered();
  const std::shared_ptr<Session> mine = std::exchange(session, nullptr);
  out.clear();
  if (mine) {
    const bool in_order = !mine->over;  // all is done: nobody need be told
    mine->end("closed by us");
    mine->bytes->close();
    co_await mine->read_ended.wait();
    if (!in_order) source.link_changed(false, mine->why);
  }
  stream.connection_lost(timers.now());
}

// True if anything was settled.
bool Connection::Inside::report(BootNs now) {
  settlements.clear();
  stream.take_settlements(settlements);
  for (const Settlement& one : settlements) source.settled(one, now);
  notices.clear();
  stream.take_notices(now, notices);
  for (const Notice& one : notices) source.noticed(one);
  return !settlements.empty();
}

Connection::Connection(const Strand& strand, Timers& timers, const Clock& clock, ConnectionOptions options,
                       Stream stream, BatchSource& source, Connector connector)
    : inside_(std::make_unique<Inside>(strand, timers, clock, std::move(options), std::move(stream), source,
                                       std::move(connector))) {}

Connection::~Connection() = default;

void Connection::start() { spawn_on(inside_->strand, inside_->run()); }

void Connection::wake() {
  post_to(inside_->strand, [in = inside_.get()] {
    in->strand.entered();
    in->idle.wake_all();
  });
}

Task<void> Connection::async_stop(BootNs deadline) {
  co_await run_on(inside_->strand, [in = inside_.get(), deadline] {
    in->strand.entered();
    in->stop_by = deadline;
    in->idle.wake_all();
  });
  co_await inside_->ended.wait();
}

}  // namespace nissa::client
