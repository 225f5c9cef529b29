#include "ingest/door_log.hpp"

#include <functional>

#include "base/log.hpp"

namespace nissa::ingest {
namespace {

std::string_view cut(std::string_view name) { return name.substr(0, longest_logged_name); }

}  // namespace

void log_malformed(std::string_view principal, std::string_view agent, const wire::Malformed& fault) {
  log_rarely(LogLevel::warning, "ingest", "malformed input",
             {{"principal", cut(principal)},
              {"agent", cut(agent)},
              {"reason", name_of(fault.reason)},
              {"field", cut(fault.field)},
              {"offset", fault.offset}});
}

void log_closed(std::string_view principal, std::string_view agent, Reason reason) {
  if (reason == Reason::shutting_down) return;
  log_rarely(LogLevel::info, "ingest", "a connection is closed by the server",
             {{"principal", cut(principal)}, {"agent", cut(agent)}, {"reason", name_of(reason)}});
}

void log_match_sets_full(const fold::Folded& folded, const slo::MatchSets& sets) {
  const std::uint16_t rejected = folded.rejected[static_cast<std::size_t>(EventFault::match_sets_full) - 1];
  if (rejected == 0) [[likely]]
    return;
  log_rarely(LogLevel::warning, "ingest",
             "the memory of SLOs that match together is full: events of new combinations are rejected; name services "
             "and operations instead of labels in the SLOs, then restart",
             {{"events", rejected}, {"match_sets", sets.size()}, {"match_set_bytes", sets.memory_bytes()}});
}

bool KnownAgents::is_new(std::string_view principal, std::string_view agent) {
  const std::size_t hash = std::hash<std::string_view>()(principal) * 31 + std::hash<std::string_view>()(agent);
  const Lock lock(mutex_);
  if (met_.contains(hash)) return false;
  if (met_.size() >= most) met_.clear();
  met_.insert(hash);
  return true;
}

void KnownAgents::greet(std::string_view principal, std::string_view agent) {
  if (is_new(principal, agent))
    log_rarely(LogLevel::info, "ingest", "a new agent has come",
               {{"principal", cut(principal)}, {"agent", cut(agent)}});
}

}  // namespace nissa::ingest
