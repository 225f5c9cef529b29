#include "net/http_server.hpp"

#include <atomic>
#include <set>

#include "async/watchdog.hpp"
#include "base/mutex.hpp"
#include "base/violation.hpp"
#include "net/connection.hpp"
#include "net/http_reader.hpp"
#include "net/http_writer.hpp"

namespace nissa::net {
namespace {

// A client that is still sending when we refuse would see a reset instead of our answer: so much is read and dropped.
constexpr std::size_t linger_bytes = 64 * 1024;
constexpr std::int64_t linger_ns = ns_per_s;

HttpResponse answer_to(HttpProgress fault, const std::string& why) {
  if (fault == HttpProgress::head_too_large)
    return http_error(431, "header_too_large", "the request's header is " + why, "send fewer or shorter headers");
  return http_error(400, "bad_request", "this is not a well-formed HTTP/1.1 request: " + why, "see RFC 9112");
}

HttpResponse too_large_for(const std::string& path, std::size_t limit) {
  if (limit == 0) return http_error(413, "body_too_large", path + " takes no body", "send none");
  return http_error(413, "body_too_large",
                    "the request's body has more than the " + std::to_string(limit) + " bytes that " + path + " takes",
                    "send less at once");
}

HttpResponse answer_to(const RouteMatch& match, const HttpHead& head) {
  if (match.allow.empty())
    return http_error(404, "not_found", "there is nothing at " + head.raw_path, "the paths are listed at /");
  HttpResponse response = http_error(405, "method_not_allowed", head.raw_path + " does not take " + head.request.method,
                                     "use " + match.allow);
  response.headers.emplace_back("Allow", match.allow);
  return response;
}

}  // namespace

struct HttpServer::Inside {
  Inside(EventLoop& loop, Timers& the_timers, const Clock& the_clock, HttpServerOptions the_options,
         std::vector<HttpRoute> the_routes, HttpCounters& the_counters)
      : counters(the_counters),
        timers(the_timers),
        clock(the_clock),
        options(std::move(the_options)),
        routes(std::move(the_routes)),
        listener(loop, the_timers, options.listen,
                 [this](Connection connection) { return serve(std::move(connection)); }) {}

  HttpCounters& counters;
  Timers& timers;
  const Clock& clock;
  const HttpServerOptions options;
  const std::vector<HttpRoute> routes;
  std::atomic<bool> stopping{false};
  Mutex idle_mutex;
  std::set<ByteStream*> idle NISSA_GUARDED_BY(idle_mutex);  // each is held by its connection's coroutine
  std::atomic<std::size_t> in_hand{0};                      // bytes of answers under way
  TcpListener listener;

  // One connection, for as long as its coroutine runs.
  struct Session {
    Session(Inside& inside, Connection connection)
        : open(inside.counters.connections),
          stream(std::move(connection.stream)),
          peer(std::move(connection.peer)),
          reader(inside.options.head_limit),
          watchdog(inside.timers, stream) {
      open.add();
    }
    ~Session() { open.subtract(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    SharedCounter& open;
    const std::shared_ptr<ByteStream> stream;
    const PeerAddress peer;
    HttpRequestReader reader;
    Watchdog watchdog;
    bool fresh = true;  // connected, and nothing asked yet
  };

  Task<void> serve(Connection connection) {
    Session session(*this, std::move(connection));
    while (!stopping.load(std::memory_order_relaxed)) {
      if (session.reader.empty() && !co_await wait_for_request(session)) break;
      if (!co_await one_request(session)) break;
    }
    session.stream->close();
  }

  // Idle: no buffer, and async_stop may close it.
  Task<bool> wait_for_request(Session& session) {
    session.reader.drop_buffer();
    session.watchdog.expect_within(std::exchange(session.fresh, false) ? options.request_timeout_ns
                                                                       : options.idle_timeout_ns);
    {
      Lock lock(idle_mutex);
      if (stopping.load(std::memory_order_relaxed)) co_return false;
      idle.insert(session.stream.get());
    }
    const auto readable = co_await session.stream->wait_readable();
    Lock lock(idle_mutex);
    idle.erase(session.stream.get());
    co_return readable.has_value();
  }

  // Reads until the reader has something to say; nothing if the connection ended before.
  static Task<std::optional<HttpProgress>> read(Session& session) {
    for (;;) {
      const auto size = co_await session.stream->read_some(session.reader.room());
      if (!size) co_return std::nullopt;
      const HttpProgress progress = session.reader.feed(*size);
      if (progress != HttpProgress::need_more) co_return progress;
    }
  }

  // True: the connection goes on.
  Task<bool> one_request(Session& session) {
    session.watchdog.expect_within(options.request_timeout_ns);
    std::optional progress = session.reader.feed(0);
    if (progress == HttpProgress::need_more) progress = co_await read(session);
    if (!progress) co_return false;
    counters.requests.add();
    if (progress != HttpProgress::head_done)
      co_return co_await refuse(session, answer_to(*progress, session.reader.fault()));

    const HttpHead& head = session.reader.head();
    HttpRequest request = session.reader.take_request();
    RouteMatch match = match_route(routes, request.method, head.raw_path);
    if (!match.route) {
      if (head.has_body) co_return co_await refuse(session, answer_to(match, head));
      co_return co_await answer(session, answer_to(match, head), head.keep_alive);
    }
    request.path = percent_decoded(head.raw_path).value_or(head.raw_path);
    request.parameters = std::move(match.parameters);
    request.peer = session.peer;
    HttpAdmission admission{.max_body = match.route->max_body};
    if (match.route->on_head) {
      auto asked = co_await match.route->on_head(request);
      if (!asked) co_return co_await refuse_unread(session, std::move(asked.error()));
      admission = std::move(*asked);
      request.held = std::move(admission.held);
    }
    if (head.has_body) {
      progress = co_await read_body(session, admission.max_body);
      if (!progress) co_return false;
      if (progress != HttpProgress::complete) {
        request.held.reset();  // what it was for is gone
        if (progress != HttpProgress::body_too_large)
          co_return co_await refuse(session, answer_to(*progress, session.reader.fault()));
        co_return co_await refuse(
            session, admission.too_large ? admission.too_large() : too_large_for(head.raw_path, admission.max_body));
      }
      request.body = session.reader.take_body();
    }
    session.watchdog.rest();  // the time a handler takes is its own affair
    co_return co_await answer(session, co_await call(*match.route, std::move(request)), head.keep_alive);
  }

  Task<std::optional<HttpProgress>> read_body(Session& session, std::size_t limit) {
    std::optional progress = session.reader.accept_body(limit);
    if (progress != HttpProgress::need_more) co_return progress;
    if (session.reader.head().expects_continue && !co_await session.stream->write(as_bytes(http_continue)))
      co_return std::nullopt;
    co_return co_await read(session);
  }

  static Task<HttpResponse> call(const HttpRoute& route, HttpRequest request) {
    std::string thrown;
    try {
      co_return co_await route.handle(std::move(request));
    } catch (const std::exception& error) {
      thrown = error.what();
    }
    violation("net", "a handler of " + route.pattern + " answers without an exception, not with: " + thrown);
    co_return http_error(500, "internal", "this is a fault of the server", "the log says more");
  }

  // True: the connection goes on.
  Task<bool> answer(Session& session, HttpResponse response, bool keep_alive) {
    keep_alive = keep_alive && !stopping.load(std::memory_order_relaxed);
    const bool written = co_await write(session, std::move(response), keep_alive);
    session.reader.next();
    co_return (written && keep_alive);
  }

  // A part of answer_bytes, for as long as it is there.
  class InHand {
   public:
    InHand(std::atomic<std::size_t>& all, std::size_t bytes) : all_(all), bytes_(bytes) { all_ += bytes_; }
    ~InHand() { all_ -= bytes_; }
    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;

   private:
    std::atomic<std::size_t>& all_;
    const std::size_t bytes_;
  };

  Task<bool> write(Session& session, HttpResponse response, bool keep_alive) {
    const bool without_body = session.reader.head().request.method == "HEAD";
    const std::size_t others = in_hand.load(std::memory_order_relaxed);
    if (others != 0 && others + response.body.size() > options.answer_bytes)
      response = http_error(503, "busy", "too many large answers wait for their readers", "ask again in a moment");
    counters.responses[std::min<std::size_t>(response.status, counters.responses.size() - 1)].add();
    const InHand part(in_hand, response.body.size());
    std::string bytes = http_response_head(response, clock.wall_ns(), keep_alive);
    if (without_body) response.body.clear();
    // A small body goes out with the head in one packet.
    const std::size_t first = std::min(response.body.size(), http_piece_bytes);
    bytes.append(response.body, 0, first);
    ByteView rest = as_bytes(response.body).subspan(first);
    for (ByteView piece = as_bytes(bytes); !piece.empty();) {
      session.watchdog.expect_within(options.idle_timeout_ns);
      if (!co_await session.stream->write(piece)) co_return false;
      piece = rest.first(std::min(rest.size(), http_piece_bytes));
      rest = rest.subspan(piece.size());
    }
    co_return true;
  }

  // Answers, and closes: what follows on this connection is the rest of what was refused.
  Task<bool> refuse(Session& session, HttpResponse response) {
    if (!co_await write(session, std::move(response), false)) co_return false;
    session.watchdog.expect_within(linger_ns);
    for (std::size_t dropped = 0; dropped < linger_bytes;) {
      session.reader.drop_buffer();
      const auto size = co_await session.stream->read_some(session.reader.room());
      if (!size) break;
      dropped += *size;
    }
    co_return false;
  }

  // Before its body was read. A short one is let go by, so that the connection, and whoever shares it, need not begin
  // anew.
  Task<bool> refuse_unread(Session& session, HttpResponse response) {
    const HttpHead& head = session.reader.head();
    std::size_t unread = head.content_length.value_or(head.has_body ? linger_bytes + 1 : 0);
    const bool goes_on = unread <= linger_bytes && head.keep_alive && !head.expects_continue;
    if (!goes_on || stopping.load(std::memory_order_relaxed)) co_return co_await refuse(session, std::move(response));
    if (!co_await write(session, std::move(response), true)) co_return false;
    session.watchdog.expect_within(options.request_timeout_ns);
    for (unread -= session.reader.discard(0, unread); unread > 0;) {
      const auto size = co_await session.stream->read_some(session.reader.room());
      if (!size) co_return false;
      unread -= session.reader.discard(*size, unread);
    }
    session.reader.next();
    co_return true;
  }

  Task<void> stop(std::int64_t grace_ns) {
    {
      Lock lock(idle_mutex);
      stopping.store(true, std::memory_order_relaxed);
      for (ByteStream* stream : idle) stream->close();
    }
    co_await listener.async_stop(grace_ns);
  }
};

HttpServer::HttpServer(EventLoop& loop, Timers& timers, const Clock& clock, HttpServerOptions options,
                       std::vector<HttpRoute> routes, HttpCounters& counters)
    : inside_(std::make_unique<Inside>(loop, timers, clock, std::move(options), std::move(routes), counters)) {}
HttpServer::~HttpServer() = default;

Status HttpServer::open() { return inside_->listener.open(); }
std::uint16_t HttpServer::port() const { return inside_->listener.port(); }
void HttpServer::start() { inside_->listener.start(); }
Task<void> HttpServer::async_stop(std::int64_t grace_ns) { return inside_->stop(grace_ns); }
Task<void> HttpServer::serve(Connection connection) { return inside_->serve(std::move(connection)); }

}  // namespace nissa::net
