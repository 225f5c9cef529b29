#include "admin/admin_component.hpp"

#include <charconv>
#include <utility>

#include "admin/backup_page.hpp"
#include "admin/health_page.hpp"
#include "admin/json_body.hpp"
#include "admin/log_page.hpp"
#include "admin/match_page.hpp"
#include "admin/slo_page.hpp"
#include "admin/streams_page.hpp"
#include "async/answer_within.hpp"
#include "async/parked.hpp"
#include "async/strand.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/nearest_name.hpp"
#include "net/connection.hpp"
#include "net/http_server.hpp"
#include "selfmetrics/process_figures.hpp"
#include "selfmetrics/slo_families.hpp"

namespace nissa::admin {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using Pages = std::shared_ptr<const ledger::SloPages>;

constexpr std::int64_t answer_ns = 2 * ns_per_s;
constexpr std::size_t slos_a_slice = 64;  // 4 µs each: a quarter of a millisecond
constexpr std::size_t usual_epochs = 100;
constexpr std::size_t most_epochs = 1'000;  // 2 µs each
constexpr const char* text_format = "text/plain; version=0.0.4; charset=utf-8";

struct Backup {
  journal::BackupResult result = std::unexpected(journal::BackupError{});
};

net::HttpServerOptions server_options(const Options& options) {
  return {.listen = {options.address, options.port, options.max_connections}, .answer_bytes = options.answer_bytes};
}

}  // namespace

struct AdminComponent::Inside {
  Inside(EventLoop& the_loop, Timers& the_timers, const Clock& clock, const Options& the_options,
         const Sources& the_sources)
      : loop(the_loop),
        timers(the_timers),
        options(the_options),
        sources(the_sources),
        server(the_loop, the_timers, clock, server_options(the_options), routes(), counters) {}

  using Page = Task<HttpResponse> (Inside::*)(HttpRequest);
  net::HttpRoute route(std::string method, std::string pattern, Page page, std::size_t max_body) {
    return {std::move(method), std::move(pattern),
            [this, page](HttpRequest request) { return (this->*page)(std::move(request)); }, max_body};
  }
  std::vector<net::HttpRoute> routes() {
    const auto at = [this](std::string pattern, Page page) { return route("GET", std::move(pattern), page, 0); };
    return {at("/", &Inside::index),
            at("/healthz", &Inside::healthz),
            at("/readyz", &Inside::readyz),
            at("/metrics", &Inside::metrics),
            at("/api/v2/slos", &Inside::slos),
            at("/api/v2/slos/{name...}", &Inside::slo),
            at("/api/v2/streams", &Inside::streams),
            at("/api/v2/match", &Inside::match),
            at("/api/v2/config", &Inside::config),
            at("/api/v2/log", &Inside::log_level),
            route("POST", "/api/v2/log", &Inside::set_log_level, most_body_bytes),
            route("POST", "/api/v2/backup", &Inside::back_up, most_body_bytes)};
  }

  Task<HttpResponse> index(HttpRequest) {
    co_return net::http_text(
        "/healthz             alive\n"
        "/readyz              takes batches\n"
        "/metrics             for Prometheus\n"
        "/api/v2/slos         all SLOs, with their windows and budgets; and those retired of late\n"
        "/api/v2/slos/{name}  one of them\n"
        "/api/v2/streams      the agents' epochs and what is settled of them; ?limit=N\n"
        "/api/v2/match        which SLOs an event belongs to: ?service=S&operation=O&label.KEY=VALUE; and which came "
        "that belong to none\n"
        "/api/v2/config       every setting as it holds, and where it comes from\n"
        "/api/v2/log          the log's level; POST {\"level\": \"debug\"} sets it\n"
        "/api/v2/backup       POST {} makes a backup in the configured backup_directory\n");
  }
  Task<HttpResponse> healthz(HttpRequest) { co_return health_page(health()); }
  Task<HttpResponse> readyz(HttpRequest) { co_return ready_page(health()); }

  Task<HttpResponse> metrics(HttpRequest) {
    HttpResponse response{.content_type = text_format};
    selfmetrics::expose(selfmetrics::own_families(sources.metrics, selfmetrics::read_process_figures()), response.body);
    co_await yield_turn();
    selfmetrics::SloFamilies families(co_await pages(), options.all_windows);
    while (families.write_next(response.body)) co_await yield_turn();
    co_return response;
  }

  Task<HttpResponse> slos(HttpRequest) {
    const Pages all = co_await pages();
    std::string body = "{\"slos\":[";
    co_await append_slos(*all, false, body);
    body += "\n],\n\"retired\":[";
    co_await append_slos(*all, true, body);
    body += "\n]}\n";
    co_return net::http_json(std::move(body));
  }

  // A list of its own for the retired: another SLO may bear the name, and their states are of no promise any more.
  static Task<void> append_slos(const ledger::SloPages& all, bool retired, std::string& body) {
    std::size_t seen = 0;
    const char* comma = "\n";
    for (const auto& page : all.pages)
      for (const ledger::SloView& slo : page->slos) {
        if (slo.retired == retired) {
          body += std::exchange(comma, ",\n");
          append_slo(body, slo, page->ledger_ms);
        }
        if (++seen % slos_a_slice == 0) co_await yield_turn();
      }
  }

  Task<HttpResponse> slo(HttpRequest request) {
    const Pages all = co_await pages();
    const std::string_view name = request.parameter("name");
    const ledger::SloPage* page = nullptr;
    if (const ledger::SloView* found = find_slo(*all, name, &page)) {
      std::string body;
      append_slo(body, *found, page->ledger_ms);
      co_return net::http_json(body + '\n');
    }
    NearestName nearest(name);
    for (const auto& one : all->pages) {
      for (const ledger::SloView& known : one->slos) nearest.consider(known.definition->name);
      co_await yield_turn();
    }
    const std::string hint =
        nearest.name().empty() ? "/api/v2/slos lists them all" : "did you mean " + std::string(nearest.name()) + "?";
    co_return net::http_error(404, "unknown_slo", "there is no SLO named " + std::string(name), hint);
  }

  Task<HttpResponse> streams(HttpRequest request) {
    std::size_t limit = usual_epochs;
    if (const auto given = request.query_value("limit")) {
      const char* const end = given->data() + given->size();
      const auto read = std::from_chars(given->data(), end, limit);
      if (read.ec != std::errc() || read.ptr != end || limit < 1 || limit > most_epochs)
        co_return net::http_error(400, "bad_limit", "limit=" + *given + " is no number from 1 to 1000",
                                  "for example /api/v2/streams?limit=100");
    }
    const auto list = co_await answer_within(loop, timers, answer_ns, sources.ledger.async_streams(limit));
    if (!list)
      co_return net::http_error(503, "no_answer", "the ledger did not answer within 2 s", "ask again; see /readyz");
    co_return net::http_json(streams_page(*list));
  }

  Task<HttpResponse> match(HttpRequest request) {
    const auto question = match_question(request.query);
    if (!question) co_return question.error();
    const auto rules = current_matcher();
    if (!rules) co_return net::http_error(503, "starting", "the SLOs are not defined yet", "ask again in a second");
    const Pages all = co_await pages();
    const Unmatched unmatched{sources.metrics.ledger.unmatched_events.value(), sources.unmatched.latest()};
    co_return net::http_json(match_page(*question, *rules, *all, sources.fold_options, unmatched));
  }
  Task<HttpResponse> config(HttpRequest) { co_return net::http_json(sources.config_page); }
  Task<HttpResponse> log_level(HttpRequest) { co_return show_log_level(); }
  Task<HttpResponse> set_log_level(HttpRequest request) { co_return change_log_level(request); }

  // As long as it takes: who asks waits, and nobody else. The server ends backups before it waits for us.
  Task<HttpResponse> back_up(HttpRequest request) {
    if (auto wrong = fault_of_backup_request(request)) co_return std::move(*wrong);
    log(LogLevel::info, "admin", "a backup is asked for", {{"by", request.peer.text}});
    const Backup backup = co_await park<Backup>([this](Parked<Backup> asker) {
      sources.journal.back_up(
          [asker = std::move(asker)](journal::BackupResult result) mutable { asker.wake({std::move(result)}); });
    });
    co_return backup_page(backup.result);
  }

  Task<Pages> pages() {
    const auto fresh = co_await answer_within(loop, timers, answer_ns, sources.ledger.async_pages());
    co_return fresh ? *fresh : sources.ledger.pages();
  }
  Health health() {
    Lock lock(mutex);
    return {ready, reason, sources.journal.trouble()};
  }

  std::shared_ptr<const slo::Matcher> current_matcher() {
    Lock lock(mutex);
    return matcher;
  }

  EventLoop& loop;
  Timers& timers;
  const Options options;
  const Sources sources;
  Mutex mutex;
  bool ready NISSA_GUARDED_BY(mutex) = false;
  std::string reason NISSA_GUARDED_BY(mutex) = "starting";
  std::shared_ptr<const slo::Matcher> matcher NISSA_GUARDED_BY(mutex);
  net::HttpCounters counters;
  net::HttpServer server;
};

AdminComponent::AdminComponent(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                               const Sources& sources)
    : inside_(std::make_unique<Inside>(loop, timers, clock, options, sources)) {}
AdminComponent::~AdminComponent() = default;

Status AdminComponent::open() { return inside_->server.open(); }
std::uint16_t AdminComponent::port() const { return inside_->server.port(); }
void AdminComponent::start() { inside_->server.start(); }
Task<void> AdminComponent::serve(net::Connection connection) { return inside_->server.serve(std::move(connection)); }
Task<void> AdminComponent::async_stop(std::int64_t grace_ns) { return inside_->server.async_stop(grace_ns); }

void AdminComponent::set_ready(bool ready, std::string reason) {
  Lock lock(inside_->mutex);
  inside_->ready = ready;
  inside_->reason = std::move(reason);
}

void AdminComponent::set_matcher(std::shared_ptr<const slo::Matcher> matcher) {
  Lock lock(inside_->mutex);
  inside_->matcher = std::move(matcher);
}

}  // namespace nissa::admin
