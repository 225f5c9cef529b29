// The books of the door and of the ledger, held against each other: what every test of ingest ends with.
#pragma once
#include <doctest/doctest.h>

#include "ingest/books.hpp"
#include "ledger/ledger_counters.hpp"

namespace nissa::test {

// What became of the batches of a class, over both rooms.
struct ClassSum {
  std::uint64_t received = 0;
  std::uint64_t counted = 0, duplicate = 0, refused = 0, malformed = 0, conflict = 0;
  std::uint64_t in_flight = 0;  // counted by itself: in hand at the door, or waiting for a group or in one
};

inline ClassSum sum_of(const ingest::ClassBooks& here, const ledger::ClassBooks& there) {
  ClassSum sum;
  sum.received = here.received.value();
  sum.counted = there.counted.value();
  sum.duplicate = there.duplicate.value();
  sum.refused = there.refused_in_all();
  for (const SharedCounter& one : here.refused) sum.refused += one.value();
  sum.malformed = here.malformed.value();
  sum.conflict = there.conflict.value();
  sum.in_flight = here.in_hand.value() + there.held.value() + there.in_flight.value();
  return sum;
}

inline void check_balance(const ingest::ClassBooks& here, const ledger::ClassBooks& there) {
  const ClassSum sum = sum_of(here, there);
  CHECK(sum.received == sum.counted + sum.duplicate + sum.refused + sum.malformed + sum.conflict + sum.in_flight);
  CHECK(there.balanced());
  std::uint64_t events = there.events_accepted.value() + there.events_late.value();
  for (const Counter& one : there.events_rejected) events += one.value();
  CHECK(there.batch_events.value() == events);
}

// While nothing runs: no submission is on its way from the door to the ledger.
inline void check_books(const ingest::Books& door, const ledger::LedgerCounters& ledger) {
  for (const Priority priority : all_priorities) {
    CAPTURE(name_of(priority));
    const std::size_t i = index_of(priority);
    check_balance(door.keyed[i], ledger.classes[i]);
    check_balance(door.unkeyed[i], ledger.unkeyed[i]);
  }
}

}  // namespace nissa::test
