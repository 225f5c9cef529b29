// The ledger's books and figures. One writer, the ledger's strand; any readers.
#pragma once
#include <array>
#include <cstddef>

#include "base/batch_key.hpp"
#include "base/counter.hpp"
#include "base/priority.hpp"
#include "base/refusal.hpp"

namespace nissa::ledger {

// Large enough for every Reason.
inline constexpr std::size_t reason_slots = 96;

// The books of a class: received = counted + duplicate + conflict + refused (all reasons) + in_flight, at any time
// between two submissions. A batch is received each time it is sent, and each sending gets one answer; so one whose
// waiter was told journal_slow stands under `refused`, and once more in counted_unheard if its group got through.
struct ClassBooks {
  Counter received;
  Counter counted;
  Counter duplicate;
  Counter conflict;
  std::array<Counter, reason_slots> refused;  // by number of Reason
  Counter in_flight;                          // gauge: in the open group and the one in flight; counted by itself
  Counter held;                               // gauge: handed over, and waiting for room in the open group
  Counter below_low;                          // of duplicate: those of which nothing more was known
  Counter counted_unheard;
  // Of all batches counted, heard or not: batch_events = accepted + late + rejected (all faults).
  Counter batch_events;  // as the headers told
  Counter events_accepted;
  Counter events_late;
  std::array<Counter, event_fault_count> events_rejected;  // by EventFault − 1

  std::uint64_t refused_in_all() const {
    std::uint64_t sum = 0;
    for (const Counter& one : refused) sum += one.value();
    return sum;
  }
  bool balanced() const {
    return received.value() ==
           counted.value() + duplicate.value() + conflict.value() + refused_in_all() + in_flight.value();
  }
};

struct LedgerCounters {
  std::array<ClassBooks, priority_count> classes;  // by index_of(priority): batches that bear a key
  std::array<ClassBooks, priority_count> unkeyed;  // and those that bear none: counted, refused or in flight
  ClassBooks& of(const BatchKey& key) { return (key.is_none() ? unkeyed : classes)[index_of(key.priority)]; }

  // Of all batches counted.
  Counter unmatched_events;  // accepted, but belong to no SLO
  Counter fanout_dropped;    // times that an SLO beyond an event's first 64 was not counted

  Counter groups;         // durable ones, ticks included
  Counter group_batches;  // in them
  Counter group_counts;   // (SLO, bucket) pairs in them
  Counter groups_full;    // commits that met a full disk and are tried again
  Counter groups_failed;  // commits of unknown fate
  Counter goodbyes;
  Counter forgotten;
  Counter held;  // submissions that waited for room in the open group

  // Gauges, as of the last record.
  Counter lsn;
  Counter ledger_ms;  // since 1970
  Counter running_ms;
  Counter clock_held;  // 1: a step of the wall clock is not believed
  Counter snapshots;   // completed since the start
  Counter quarantined_slos;
  Counter open_bytes;
  Counter epochs;
  Counter epoch_bytes;
  Counter tombstones;
};

}  // namespace nissa::ledger
