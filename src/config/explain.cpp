#include "config/explain.hpp"

#include <algorithm>

#include "base/time_types.hpp"
#include "config/load_config.hpp"
#include "config/memory_budget.hpp"
#include "config/quantities.hpp"
#include "config/slo_words.hpp"
#include "config/warnings.hpp"
#include "slo/match_set.hpp"
#include "slo/window.hpp"

namespace nissa::config {
namespace {

constexpr std::size_t label_width = 14;

void add_line(std::string& out, std::string label, const std::string& what) {
  label.resize(std::max(label.size(), label_width), ' ');
  out.append("  ").append(label).append(what).append("\n");
}

void add_slo(std::string& out, const slo::Definition& slo) {
  out.append("\n").append(slo.name).append("\n");
  add_line(out, "matches", selector_in_words(slo.sli.selector));
  add_line(out, "counts", criterion_in_words(slo.sli.criterion));
  add_line(out, "objective", slo.objective.to_string() + " % over " + period_in_words(slo.period_ms));
  add_line(out, "budget", budget_in_words(slo.objective, slo.period_ms));
}

void add_limits(std::string& out, const Config& config, const Surroundings& surroundings) {
  const ingest::Options& ingest = config.ingest;
  const overload::Options& gate = config.overload;
  out += "\nlimits\n";
  std::string connections = std::to_string(surroundings.connections) + " of agents over TCP (ingest.max_connections";
  if (surroundings.connections < ingest.max_connections)
    connections += " is " + std::to_string(ingest.max_connections) +
                   ", but the limit of file descriptors bears no more: LimitNOFILE=, ulimit -n";
  add_line(out, "connections",
           connections + "), " + std::to_string(surroundings.http_connections) +
               " over HTTP (ingest.max_http_connections, at most a quarter of the former), " +
               std::to_string(config.admin.max_connections) + " of operators");
  add_line(out, "a batch",
           format_bytes(ingest.max_frame_bytes) + " and " + std::to_string(ingest.max_events) +
               " events (ingest.max_frame, ingest.max_events); over HTTP inflated " +
               format_bytes(ingest.max_inflated_bytes) + ", as JSON " + format_bytes(ingest.max_json_bytes) +
               " (ingest.max_inflated, ingest.max_json)");
  add_line(out, "a sender",
           format_bytes_roughly(gate.sender_bytes(gate.ingest_bytes)) + " in hand, and of class critical " +
               format_bytes_roughly(gate.sender_bytes(gate.critical_bytes)) +
               " beside it, but always one batch (gate.sender_percent)");
  std::string classes;
  for (const Priority priority : all_priorities)
    classes += (classes.empty() ? "" : ", ") + std::string(name_of(priority)) + ' ' +
               format_bytes_roughly(gate.share_bytes(priority));
  add_line(
      out, "a class",
      "with those below it: " + classes + " and a reserve of " + format_bytes_roughly(gate.critical_bytes) + " (gate)");
  add_line(out, "a principal",
           format_bytes_roughly(config.ledger.epochs.bytes / 100 * config.ledger.epochs.principal_percent) +
               " of the memory of keys (journal.principal_percent)");
  add_line(out, "an event",
           "names up to " + format_bytes(config.fold.most_name_bytes) + ", " + std::to_string(config.fold.most_labels) +
               " labels; it counts for at most " + std::to_string(slo::max_set_members) + " SLOs");
}

void add_memory(std::string& out, const Config& config, const Surroundings& surroundings) {
  const auto parts = memory_parts(config);
  std::uint64_t sum = 0;
  out += "\nmemory\n";
  for (const MemoryPart& part : parts) {
    sum += part.bytes;
    add_line(out, format_bytes_roughly(part.bytes), part.name);
  }
  add_line(out, format_bytes_roughly(sum),
           "in all, of a limit of " + format_bytes_roughly(surroundings.memory_limit_bytes) + ", of which " +
               std::to_string(most_memory_percent) + " % may be configured");
  out += "  An SLO takes " + std::to_string(slo_memory_bytes) + " B: " + std::to_string(slo::ring_count) +
         " rings of counts and " + std::to_string(slo::window_count) + " windows, in blocks of " +
         std::to_string(slos_in_block) + ".\n";
}

void add_given(std::string& out, const Config& config) {
  out += "\nsettings given in the file\n";
  std::size_t count = 0;
  for (const Setting& one : config.settings) {
    if (!one.given) continue;
    out += "  " + (one.section.empty() ? "" : one.section + '.') + one.key + " = " + one.value + '\n';
    ++count;
  }
  if (count == 0) out += "  none\n";
}

}  // namespace

std::string explain(const Config& config, const Surroundings& surroundings) {
  const auto warnings = warnings_of(config);
  std::string out = config.file + ": " + std::to_string(config.slos.size()) +
                    (config.slos.size() == 1 ? " SLO" : " SLOs") + ", nothing wrong";
  if (!warnings.empty())
    out += ", " + std::to_string(warnings.size()) + (warnings.size() == 1 ? " warning" : " warnings");
  out += '\n';
  auto next = warnings.begin();
  const auto add_warnings_of = [&](std::size_t slo) {
    for (; next != warnings.end() && next->slo == slo; ++next) out += "  warning: " + next->message + '\n';
  };
  for (std::size_t i = 0; i < config.slos.size(); ++i) {
    add_slo(out, config.slos[i]);
    add_warnings_of(i);
  }
  add_limits(out, config, surroundings);
  add_memory(out, config, surroundings);
  add_given(out, config);
  if (next != warnings.end()) out += '\n';
  add_warnings_of(Warning::whole_file);
  return out;
}

}  // namespace nissa::config
