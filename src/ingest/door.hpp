// What every connection of agents is given: the owners it asks, and the limits it keeps.
#pragma once
#include "async/timer.hpp"
#include "base/clock.hpp"
#include "fold/batch_fold.hpp"
#include "fold/options.hpp"
#include "ingest/books.hpp"
#include "ingest/options.hpp"
#include "ledger/ledger_component.hpp"
#include "overload/overload_component.hpp"

namespace nissa::ingest {

// One for all connections; outlives them.
struct Door {
  const Options& options;
  const fold::Options& fold_options;
  ledger::LedgerComponent& ledger;
  overload::OverloadComponent& overload;
  fold::BatchFold&
      fold;  // one I/O thread, one fold: used between a turn and the next co_await, by whoever has the turn
  Books& books;
  const Clock& clock;
  Timers& timers;
};

}  // namespace nissa::ingest
