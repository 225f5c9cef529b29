// What every connection of agents is given, by either door: the owners it asks, the limits it keeps, what it shares
// with the others.
#pragma once
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "fold/batch_fold.hpp"
#include "fold/options.hpp"
#include "ingest/books.hpp"
#include "ingest/buffer_pool.hpp"
#include "ingest/door_log.hpp"
#include "ingest/options.hpp"
#include "ledger/ledger_component.hpp"
#include "overload/overload_component.hpp"

namespace nissa::ingest {

// All of them outlive the component.
struct Door {
  const Options& options;
  const fold::Options& fold_options;
  ledger::LedgerComponent& ledger;
  overload::OverloadComponent& overload;
  fold::BatchFold& fold;
  Books& books;
  const Clock& clock;
  Timers& timers;

  EpochSeen state_now() const { return {ledger.state_id(), ledger.running_ms()}; }
};

// One for all connections; outlives them. Any thread.
struct Lobby {
  explicit Lobby(const Door& the_door) : door(the_door) {}
  const Door door;
  BufferPool buffers;
  KnownAgents agents;
  Mutex folding;  // held around door.fold: never waited for with one I/O thread, right with more
};

}  // namespace nissa::ingest
