#include "ingest/http_ingest_component.hpp"

#include "async/answer_within.hpp"
#include "async/latch.hpp"
#include "async/strand.hpp"
#include "ingest/acknowledgement.hpp"
#include "ingest/http_answer.hpp"
#include "ingest/http_batch.hpp"
#include "net/connection.hpp"
#include "net/http_server.hpp"
#include "wire/json_messages.hpp"

namespace nissa::ingest {
namespace {

using net::HttpRequest;
using net::HttpResponse;

constexpr std::size_t most_goodbye_bytes = 1024;
// For the last answers to be written, after the ledger has said its last word.
constexpr std::int64_t flush_ns = ns_per_s;
// A Goodbye is answered when it is durable; who waits longer asks again.
constexpr std::int64_t goodbye_ns = 5 * ns_per_s;

net::HttpServerOptions server_options(const Options& options) {
  return {.listen = {options.http_address, options.http_port, options.max_http_connections},
          .request_timeout_ns = options.frame_timeout_ms * ns_per_ms,
          .idle_timeout_ns = options.idle_timeout_ms * ns_per_ms};
}

std::expected<wire::Goodbye, std::string> read_goodbye(const HttpRequest& request, HttpForm form) {
  if (form == HttpForm::json) {
    const auto read = wire::goodbye_from_json(request.body);
    if (!read) return std::unexpected(read.error().field + ": " + read.error().message);
    return *read;
  }
  const auto read = wire::decode_goodbye(as_bytes(request.body));
  if (!read)
    return std::unexpected(std::string(name_of(read.error().reason)) + " at byte " +
                           std::to_string(read.error().offset) + ' ' + read.error().field);
  return *read;
}

}  // namespace

struct HttpIngestComponent::Inside {
  Inside(EventLoop& the_loop, Lobby& the_lobby)
      : loop(the_loop),
        lobby(the_lobby),
        server(the_loop, lobby.door.timers, lobby.door.clock, server_options(lobby.door.options), routes(),
               lobby.door.books.http) {}

  std::vector<net::HttpRoute> routes() {
    return {{.method = "GET", .pattern = "/", .handle = [](HttpRequest) { return index(); }},
            {.method = "GET",
             .pattern = "/v2/hello",
             .handle = [this](HttpRequest request) { return hello(std::move(request)); }},
            {.method = "POST",
             .pattern = "/v2/telemetry",
             .handle = [this](HttpRequest request) { return telemetry(std::move(request)); },
             .on_head = [this](const HttpRequest& request) { return admit(request); }},
            {.method = "POST",
             .pattern = "/v2/goodbye",
             .handle = [this](HttpRequest request) { return goodbye(std::move(request)); },
             .max_body = most_goodbye_bytes}};
  }

  static Task<HttpResponse> index() {
    co_return net::http_text(
        "POST /v2/telemetry   a TelemetryBatch: application/x-protobuf or application/json, gzip if you like\n"
        "GET  /v2/hello       limits, the state's id and running time; ?epoch=N: whether it is known\n"
        "POST /v2/goodbye     an epoch that is never used again\n");
  }

  Task<std::expected<net::HttpAdmission, HttpResponse>> admit(const HttpRequest& request) {
    co_return admit_batch(lobby, request);
  }

  Task<HttpResponse> telemetry(HttpRequest request) {
    HttpBatch batch(lobby, std::move(request));
    wire::Ack ack = co_await batch.acknowledge();
    co_return http_answer(std::move(ack), batch.answer_form());
  }

  Task<HttpResponse> hello(HttpRequest request) {
    const Door& door = lobby.door;
    wire::HelloAck ack = greeting(door.options);
    ack.max_inflated_bytes = door.options.max_inflated_bytes;
    ack.max_json_bytes = door.options.max_json_bytes;
    if (const auto text = request.query_value("epoch")) {
      const auto epoch = parse_id(*text);
      if (!epoch || *epoch == 0)
        co_return net::http_error(400, "bad_epoch", "epoch=" + *text + " is no epoch",
                                  "a number from 1 on, in decimal or in hex behind 0x");
      ack.epoch_known = co_await door.ledger.async_epoch_known(*epoch);
    }
    ack.now = door.state_now();
    co_return http_answer(ack, answer_form(request, HttpForm::json));
  }

  Task<HttpResponse> goodbye(HttpRequest request) {
    const auto head = read_http_head(request);
    if (!head) co_return head.error();
    const auto said = read_goodbye(request, head->form);
    if (!said)
      co_return net::http_error(400, "malformed", "this is no Goodbye: " + said.error(), "see docs/protocol.md, HTTP");
    // Without epoch_seen it would end an epoch of which nobody could tell when it began.
    if (!said->epoch_seen)
      co_return net::http_error(400, "malformed", "epoch_seen is missing", "send what the epoch's batches bore");
    const auto done = co_await answer_within(loop, lobby.door.timers, goodbye_ns,
                                             lobby.door.ledger.async_goodbye(said->epoch, *said->epoch_seen));
    if (done.value_or(false)) co_return net::http_json("{\"done\":true}\n");
    HttpResponse later = net::http_error(503, "not_now", "the Goodbye could not be made durable", "say it again later");
    later.headers.emplace_back("Retry-After", "1");
    co_return later;
  }

  Task<void> stop_server(std::int64_t grace_ns) {
    co_await server.async_stop(grace_ns + flush_ns);
    stopped.open();
  }

  EventLoop& loop;
  Lobby& lobby;
  Latch stopped;
  net::HttpServer server;
};

HttpIngestComponent::HttpIngestComponent(EventLoop& loop, Lobby& lobby)
    : inside_(std::make_unique<Inside>(loop, lobby)) {}
HttpIngestComponent::~HttpIngestComponent() = default;

Status HttpIngestComponent::open() { return inside_->server.open(); }
std::uint16_t HttpIngestComponent::port() const { return inside_->server.port(); }
void HttpIngestComponent::start() { inside_->server.start(); }
Task<void> HttpIngestComponent::serve(net::Connection connection) {
  return inside_->server.serve(std::move(connection));
}

Task<void> HttpIngestComponent::async_stop(std::int64_t grace_ns) {
  const auto in = inside_.get();
  const Door& door = in->lobby.door;
  in->loop.spawn(in->stop_server(grace_ns));
  const TimerId overdue = door.timers.call_at(door.timers.now() + grace_ns, [in](Slept slept) {
    const Door& late = in->lobby.door;
    if (slept == Slept::elapsed) in->loop.spawn(late.ledger.async_drain(late.timers.now()));
  });
  co_await in->stopped.wait();
  door.timers.cancel(overdue);
}

}  // namespace nissa::ingest
