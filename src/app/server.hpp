// The server as a table of contents: its members are the components, in the order of the flow. Later members know
// earlier ones; they are stopped from the doors inwards and destroyed in reverse.
#pragma once
#include <expected>
#include <memory>
#include <string>

#include "admin/admin_component.hpp"
#include "app/exit_code.hpp"
#include "app/signals.hpp"
#include "async/event_loop.hpp"
#include "async/latch.hpp"
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "config/load_config.hpp"
#include "fold/batch_fold.hpp"
#include "ingest/http_ingest_component.hpp"
#include "ingest/ingest_component.hpp"
#include "journal/journal.hpp"
#include "ledger/definition_changes.hpp"
#include "ledger/ledger_component.hpp"
#include "ledger/recovery.hpp"
#include "overload/overload_component.hpp"
#include "slo/match_set.hpp"

namespace nissa::app {

struct StartFailure {
  ExitCode code = exit_failed;
  std::string message;
};

// The state as it was found on the disk.
struct State {
  journal::Opened journal;
  ledger::Recovered recovered;
  std::vector<ledger::HistoryChange> history_changes;  // when the configured SLOs are defined; of a new state none
};
// Blocking: opens, locks, recovers, and starts the journal. `accept_loss`: of a damaged state what is sound.
std::expected<State, StartFailure> open_state(const config::Config& config, const Clock& clock, bool accept_loss);

// Thread statement: all on the main thread, which serves the loop.
class Server {
 public:
  // `config` and `clock` outlive it.
  Server(const config::Config& config, const Clock& clock, State state);
  ~Server();

  // Takes the addresses.
  std::expected<void, StartFailure> open_doors();
  // Serves until SIGTERM or SIGINT, then drains. A second signal ends the process at once, which is safe: what was
  // acknowledged is on stable storage.
  ExitCode run();

 private:
  Task<void> start();
  Task<void> stop();
  Task<void> stop_http();
  Task<void> leave_anyway();
  void on_signal();

  const config::Config& config_;
  const Clock& clock_;
  EventLoop loop_;
  Timers timers_;
  std::unique_ptr<journal::Journal> journal_;
  slo::MatchSets match_sets_;
  overload::OverloadComponent overload_;  // who gets in
  fold::BatchFold fold_;                  // bytes → cells
  ledger::LedgerComponent ledger_;        // cells → records → state
  ingest::Books books_;
  const ingest::Options ingest_options_;     // the configured ones, with as many connections as there are descriptors
  ingest::Lobby lobby_;                      // what both doors of the agents share
  ingest::IngestComponent ingest_;           // the agents' door over TCP: uses all above
  ingest::HttpIngestComponent http_ingest_;  // and over HTTP
  const std::vector<ledger::HistoryChange> history_changes_;
  Latch http_stopped_;
  admin::AdminComponent admin_;  // the operators' door: reads all above
  Signals signals_;
  ExitCode exit_code_ = exit_ok;
  bool stopping_ = false;
};

}  // namespace nissa::app
