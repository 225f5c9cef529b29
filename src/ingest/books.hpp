// The books of the door, per class: what came, and what was answered before it reached the ledger, which keeps the rest
// (LedgerBooks). received = malformed + refused + in hand + what went to the ledger. Any thread.
#pragma once
#include <array>
#include <cstdint>

#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "base/priority.hpp"
#include "base/refusal.hpp"

namespace nissa::ingest {

struct ClassBooks {
  SharedCounter received;  // batches whose header could be read
  SharedCounter malformed;
  SharedCounter in_hand;                  // read, but neither answered nor handed to the ledger: waiting for a turn
  std::array<SharedCounter, 80> refused;  // by number of Reason

  SharedLatencyHistogram ack_latency;  // last byte read → ack handed to the socket, of COUNTED
};

struct Books {
  std::array<ClassBooks, priority_count> of_class;
  SharedCounter unreadable;   // frames whose header could not be read, or that were no batches
  SharedCounter connections;  // accepted so far
  SharedCounter open_connections;
  std::array<SharedCounter, 80> closed;  // connections that the server closed, by number of Reason

  ClassBooks& of(Priority priority) { return of_class[index_of(priority)]; }
  const ClassBooks& of(Priority priority) const { return of_class[index_of(priority)]; }
};

}  // namespace nissa::ingest
