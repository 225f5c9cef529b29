// The books of the door, per class: what came, and what was answered before it reached the ledger, which keeps the rest
// (LedgerBooks). received = malformed + refused + in hand + what went to the ledger. Any thread.
#pragma once
#include <array>
#include <cstdint>

#include "base/batch_key.hpp"
#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "base/priority.hpp"
#include "base/refusal.hpp"
#include "net/http_counters.hpp"

namespace nissa::ingest {

struct ClassBooks {
  SharedCounter received;  // batches whose header could be read
  SharedCounter malformed;
  SharedCounter in_hand;                  // read, but neither answered nor handed to the ledger: waiting for a turn
  std::array<SharedCounter, 80> refused;  // by number of Reason
};

struct Books {
  std::array<ClassBooks, priority_count> keyed;                    // batches that bear a key
  std::array<ClassBooks, priority_count> unkeyed;                  // and those that bear none
  std::array<SharedLatencyHistogram, priority_count> ack_latency;  // last byte read → ack handed over, of COUNTED
  SharedCounter unreadable;   // frames whose header could not be read, or that were no batches
  SharedCounter connections;  // accepted so far
  SharedCounter open_connections;
  net::HttpCounters http;                // of the door over HTTP
  std::array<SharedCounter, 80> closed;  // connections that the server closed, by number of Reason

  ClassBooks& of(const BatchKey& key) { return (key.is_none() ? unkeyed : keyed)[index_of(key.priority)]; }
};

}  // namespace nissa::ingest
