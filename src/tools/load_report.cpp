#include "tools/load_report.hpp"

#include <cstdarg>
#include <cstdio>

namespace nissa::tools {
namespace {

__attribute__((format(printf, 2, 3))) void line(std::string& out, const char* format, ...) {
  char text[256];
  va_list values;
  va_start(values, format);
  vsnprintf(text, sizeof text, format, values);
  va_end(values);
  out += text;
  out += '\n';
}

using Count = unsigned long long;

double per_second(std::uint64_t events, double seconds) {
  return seconds > 0 ? static_cast<double>(events) / seconds : 0;
}

void say_plan(std::string& out, const LoadOptions& o, const LoadPlan& plan) {
  constexpr const char* disorders[]{"sorted", "shuffled", "30 days"};
  const LoadShape& shape = plan.shape();
  line(out,
       "load        batches of %u, %u connections, %u series, %u SLOs an event, %u labels, %s, %.0f bytes an event",
       shape.batch_events, o.connections, shape.series, shape.slos_per_event, shape.labels,
       disorders[static_cast<int>(shape.disorder)], plan.bytes_per_event());
  if (o.events_per_s > 0)
    line(out, "offered     %llu events/s, %s", static_cast<Count>(o.events_per_s),
         o.one_by_one ? "one by one" : "coalesced");
  else
    line(out, "offered     as fast as answered, at most %u batches outstanding a connection, %s", o.depth,
         o.one_by_one ? "one by one" : "coalesced");
}

void say_books(std::string& out, const LoadOutcome& outcome, const LoadPlan& plan) {
  const LoadBooks& books = outcome.books;
  line(out, "sent        %llu events in %llu batches; %llu connections made",
       static_cast<Count>(books.batches_made * plan.shape().batch_events), static_cast<Count>(books.batches_made),
       static_cast<Count>(books.links_up));
  line(out, "counted     %llu events, of them %llu by an earlier sending; late %llu, rejected %llu",
       static_cast<Count>(books.events_counted), static_cast<Count>(books.events_duplicate),
       static_cast<Count>(books.events_late), static_cast<Count>(books.events_rejected));
  line(out, "not counted refused %llu, uncertain %llu, abandoned %llu", static_cast<Count>(books.events_refused),
       static_cast<Count>(books.events_uncertain), static_cast<Count>(books.events_abandoned));
}

void say_cost(std::string& out, const LoadOutcome& outcome) {
  line(out, "measured    %.2f s: %llu events, %.0f events/s, %.0f batches/s", outcome.measured_s,
       static_cast<Count>(outcome.events_measured), per_second(outcome.events_measured, outcome.measured_s),
       per_second(outcome.batches_measured, outcome.measured_s));
  const double million = static_cast<double>(outcome.events_measured) / 1e6;
  line(out, "generator   %.2f CPU-s, %.0f ns an event", outcome.own_cpu_s,
       million > 0 ? outcome.own_cpu_s / million * 1e3 : 0.0);
  if (!outcome.server_before || !outcome.server_after) return;
  const double cpu = outcome.server_after->cpu_s - outcome.server_before->cpu_s;
  line(out, "server      %.2f CPU-s, %.4f CPU-s a million events, RSS %.0f MB (peak %.0f MB)", cpu,
       million > 0 ? cpu / million : 0.0, outcome.server_after->rss_mb, outcome.server_after->peak_rss_mb);
}

void say_figures(std::string& out, const LoadOutcome& outcome, const LoadPlan& plan) {
  const unsigned batch = plan.shape().batch_events;
  const double million = static_cast<double>(outcome.events_measured) / 1e6;
  if (outcome.server_before && outcome.server_after && million > 0) {
    line(out, "figure cpu_s_per_million_batch_%u %.4f s", batch,
         (outcome.server_after->cpu_s - outcome.server_before->cpu_s) / million);
    line(out, "figure rss_mb %.1f MB", outcome.server_after->rss_mb);
  }
  line(out, "figure events_per_second_batch_%u %.0f events/s", batch,
       per_second(outcome.events_measured, outcome.measured_s));
  const LatencyLog& latency = outcome.books.latency;
  for (const auto& [name, share] : {std::pair{"ack_p50_ms", 0.5}, {"ack_p99_ms", 0.99}, {"ack_p999_ms", 0.999}})
    line(out, "figure %s %.2f ms", name, static_cast<double>(latency.quantile_ns(share)) / 1e6);
}

}  // namespace

std::vector<std::string> disagreements(const LoadOutcome& outcome, const LoadPlan& plan, bool check_slos) {
  std::vector<std::string> wrong = outcome.troubles;
  const LoadBooks& books = outcome.books;
  const std::uint64_t sent = books.batches_made * plan.shape().batch_events;
  if (books.events_counted != sent)
    wrong.push_back("sent " + std::to_string(sent) + " events, counted " + std::to_string(books.events_counted));
  if (books.events_rejected > 0) wrong.push_back(std::to_string(books.events_rejected) + " events were rejected");
  if (books.events_counted == 0) wrong.push_back("nothing was counted");
  if (books.events_counted != sent && !books.last_trouble.empty())
    wrong.push_back("connections: " + books.last_trouble);
  if (!check_slos || !outcome.slos_before || !outcome.slos_after) return wrong;
  for (std::string& one : differences(plan.expected(books.tally), *outcome.slos_before, *outcome.slos_after))
    wrong.push_back(std::move(one));
  return wrong;
}

std::string load_report(const LoadOptions& options, const LoadOutcome& outcome, const LoadPlan& plan) {
  std::string out;
  say_plan(out, options, plan);
  say_books(out, outcome, plan);
  say_cost(out, outcome);
  const LatencyLog& latency = outcome.books.latency;
  line(out, "latency     from due to acknowledged, %llu batches: p50 %.2f, p99 %.2f, p99.9 %.2f, longest %.2f ms",
       static_cast<Count>(latency.count()), static_cast<double>(latency.quantile_ns(0.5)) / 1e6,
       static_cast<double>(latency.quantile_ns(0.99)) / 1e6, static_cast<double>(latency.quantile_ns(0.999)) / 1e6,
       static_cast<double>(latency.longest_ns()) / 1e6);
  const auto wrong = disagreements(outcome, plan, options.check_slos);
  for (const std::string& one : wrong) out += "books       " + one + "\n";
  if (wrong.empty())
    line(out, "books       agree: counted = sent%s", options.check_slos ? ", and so do the SLO totals" : "");
  say_figures(out, outcome, plan);
  return out;
}

}  // namespace nissa::tools
