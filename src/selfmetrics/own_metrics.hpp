// Nissa's own figures: every counter of every room → the families of the catalogue. Reads relaxed atomics of their
// owners, so any thread may ask, and nobody is asked.
//
// The books come from two: ingest has what was answered at the door, the ledger the rest. A batch on its way from one
// to the other (a post in flight) is in neither, so they balance whenever nothing moves.
#pragma once
#include <string_view>
#include <vector>

#include "fold/batch_fold.hpp"
#include "ingest/books.hpp"
#include "journal/journal.hpp"
#include "ledger/ledger_counters.hpp"
#include "overload/overload_component.hpp"
#include "selfmetrics/exposition.hpp"
#include "selfmetrics/process_figures.hpp"
#include "slo/match_set.hpp"

namespace nissa::selfmetrics {

// All outlive their readers.
struct Sources {
  const ingest::Books& books;
  const fold::BatchFold::Counters& fold;
  const overload::Counters& overload;
  const ledger::LedgerCounters& ledger;
  const journal::Counters& journal;
  std::string_view version;  // of the program; a literal
  const slo::MatchSets& sets;
};

// Every metric of own_metrics(), each once. Labels that are to be expected stand there from the first scrape on, with
// 0: a counter that appears only with its first event hides that event from rate() and increase().
std::vector<Family> own_families(const Sources& sources, const ProcessFigures& process);

}  // namespace nissa::selfmetrics
