#include "tools/load_run.hpp"

#include <unistd.h>

#include <deque>

#include "async/byte_stream.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"
#include "client/os_random.hpp"
#include "net/http_client.hpp"
#include "net/tcp_connect.hpp"

namespace nissa::tools {
namespace {

class LoadRun {
 public:
  LoadRun(const LoadOptions& options, const LoadPlan& plan) : options_(options), plan_(plan) {
    out_.books.tally = plan.empty_tally();
  }
  LoadOutcome run() {
    spawn_on(strand_, script());
    loop_.run();
    return std::move(out_);
  }

 private:
  Task<void> script();
  Task<void> measure();
  Task<void> drain();
  Task<void> stop_one(client::Connection& connection, BootNs deadline);
  Task<std::optional<SloTotals>> fetch_totals();
  void make_connections();
  Task<Result<std::shared_ptr<ByteStream>>> connect(BootNs deadline);
  std::optional<ProcessCost> server_cost();
  bool all_made() const { return options_.most_batches > 0 && out_.books.batches_settled >= options_.most_batches; }

  const LoadOptions& options_;
  const LoadPlan& plan_;
  LoadOutcome out_;
  SystemClock clock_;
  EventLoop loop_{1};
  Timers timers_{loop_, clock_};
  Strand strand_{loop_};
  std::deque<LoadSource> sources_;
  std::deque<client::Connection> connections_;
  std::size_t stopping_ = 0;
};

void LoadRun::make_connections() {
  const std::vector<Priority> classes = classes_of(options_);
  LoadPace pace;
  pace.depth = options_.depth;
  if (options_.most_batches > 0) pace.most_batches = options_.most_batches;
  const double batches_per_s = static_cast<double>(options_.events_per_s) / plan_.shape().batch_events;
  const double every_ns = batches_per_s > 0 ? 1e9 * static_cast<double>(classes.size()) / batches_per_s : 0;
  pace.every_ns = static_cast<std::int64_t>(every_ns);
  const BootNs begin = timers_.now();
  client::ConnectionOptions how;
  how.agent = "nissa-load";
  how.token = options_.token;
  if (options_.one_by_one) how.write_bytes = 1;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    pace.first_due =
        begin + static_cast<BootNs>(every_ns * static_cast<double>(i) / static_cast<double>(classes.size()));
    client::StreamOptions stream;
    stream.priority = classes[i];
    stream.max_held_bytes = ~0ULL;  // depth is the bound, and bodies are not kept
    LoadSource& source = sources_.emplace_back(plan_, clock_, pace, out_.books);
    connections_.emplace_back(strand_, timers_, clock_, how, client::Stream(stream, client::os_random_bits), source,
                              [this](BootNs deadline) { return connect(deadline); });
    connections_.back().start();
  }
}

Task<Result<std::shared_ptr<ByteStream>>> LoadRun::connect(BootNs deadline) {
  auto stream = co_await net::tcp_connect(strand_, timers_, options_.host, options_.port, deadline);
  if (stream && options_.http) co_return http_tunnel(std::move(*stream), *options_.http);
  co_return stream;
}

Task<void> LoadRun::script() {
  out_.slos_before = co_await fetch_totals();
  if (options_.check_slos && !out_.slos_before) {
    timers_.stop();
    loop_.release();
    co_return;
  }
  make_connections();
  (void)co_await timers_.sleep_for(static_cast<std::int64_t>(options_.warmup_s) * ns_per_s);
  co_await measure();
  co_await drain();
  out_.slos_after = co_await fetch_totals();
  timers_.stop();
  loop_.release();
}

Task<void> LoadRun::measure() {
  LoadBooks& books = out_.books;
  out_.server_before = server_cost();
  const BootNs from = timers_.now();
  const BootNs to = from + static_cast<std::int64_t>(options_.measure_s) * ns_per_s;
  const Result<ProcessCost> own_before = cost_of_process(getpid());
  const std::uint64_t counted_before = books.events_counted, settled_before = books.batches_settled;
  books.measure_from = from;
  books.measure_to = to;
  while (timers_.now() < to && !all_made()) {
    const BootNs next_look = std::min<BootNs>(to, timers_.now() + ns_per_s / 10);
    if (co_await timers_.sleep_until(next_look) == Slept::cancelled) break;
  }
  out_.server_after = server_cost();
  out_.measured_s = static_cast<double>(timers_.now() - from) / 1e9;
  out_.events_measured = books.events_counted - counted_before;
  out_.batches_measured = books.batches_settled - settled_before;
  if (const auto own_after = cost_of_process(getpid()); own_before && own_after)
    out_.own_cpu_s = own_after->cpu_s - own_before->cpu_s;
}

Task<void> LoadRun::drain() {
  for (LoadSource& source : sources_) source.end();
  const BootNs deadline = timers_.now() + static_cast<std::int64_t>(options_.drain_s) * ns_per_s;
  stopping_ = connections_.size();
  for (client::Connection& one : connections_) spawn_on(strand_, stop_one(one, deadline));
  while (stopping_ > 0)
    if (co_await timers_.sleep_for(10 * ns_per_ms) == Slept::cancelled) break;
}

Task<void> LoadRun::stop_one(client::Connection& connection, BootNs deadline) {
  co_await connection.async_stop(deadline);
  --stopping_;
}

Task<std::optional<SloTotals>> LoadRun::fetch_totals() {
  if (!options_.check_slos) co_return std::nullopt;
  net::HttpCall call;
  call.host = options_.admin_host;
  call.port = options_.admin_port;
  call.target = "/api/v2/slos";
  const auto response = co_await net::http_fetch(strand_, timers_, std::move(call), timers_.now() + 30 * ns_per_s);
  if (!response) {
    out_.troubles.push_back(response.error().message);
    co_return std::nullopt;
  }
  if (response->status != 200) {
    out_.troubles.push_back("GET /api/v2/slos was answered " + std::to_string(response->status));
    co_return std::nullopt;
  }
  auto totals = parse_slo_totals(response->body);
  if (!totals) {
    out_.troubles.push_back(totals.error().message);
    co_return std::nullopt;
  }
  co_return std::move(*totals);
}

std::optional<ProcessCost> LoadRun::server_cost() {
  if (options_.pid == 0) return std::nullopt;
  const auto cost = cost_of_process(static_cast<pid_t>(options_.pid));
  if (cost) return *cost;
  out_.troubles.push_back(cost.error().message);
  return std::nullopt;
}

}  // namespace

LoadOutcome run_load(const LoadOptions& options, const LoadPlan& plan) { return LoadRun(options, plan).run(); }

}  // namespace nissa::tools
