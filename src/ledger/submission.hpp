// What a session hands to the ledger and what it is told: folded batches go in by the read chunk, answers come back by
// the group, so that a hop is paid once a chunk and once a group, never once a batch.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/batch_key.hpp"
#include "base/refusal.hpp"
#include "slo/cell.hpp"

namespace nissa::ledger {

// Events of one batch that were not taken, by fault (index: EventFault − 1).
using RejectedCounts = std::array<std::uint16_t, event_fault_count>;

// Who sends: what a new epoch's record keeps of it.
struct Sender {
  std::string agent;      // self-declared name
  std::string principal;  // authenticated, else the address; bounds are per principal
};

struct BatchLine {
  BatchKey key;  // of a batch without one: its priority alone
  Sequence settled_below = 0;
  Fingerprint print;
  std::uint32_t first_cell = 0;  // its cells are [first_cell, first_cell + cell_count) of the submission
  std::uint32_t cell_count = 0;
  std::uint32_t event_count = 0;  // as the header told; = accepted + late + rejected
  std::uint32_t accepted = 0;
  std::uint32_t late = 0;
  RejectedCounts rejected{};
  std::uint32_t unmatched = 0;       // of accepted: belong to no SLO
  std::uint32_t fanout_dropped = 0;  // times that an SLO beyond an event's first 64 was not counted
  std::uint32_t token = 0;           // the session's own; comes back in the answer
};

enum class AckStatus : std::uint8_t { counted = 1, duplicate = 2, refused = 3, malformed = 4, conflict = 5 };

struct Answer {
  BatchKey key;
  AckStatus status = AckStatus::refused;
  Reason reason = Reason::none;
  std::uint32_t event_count = 0;  // as the line told
  std::uint32_t accepted = 0;     // COUNTED only: a duplicate's numbers are not remembered
  std::uint32_t late = 0;
  RejectedCounts rejected{};
  std::uint32_t unmatched = 0;  // of accepted: belong to no SLO
  std::uint32_t token = 0;
  std::uint32_t retry_after_ms = 0;
  RunningMs running_ms = 0;  // COUNTED: of its record; else of the state now
};

// Where a connection's answers go. Outlives the session: the group holds it.
class ReplyTo {
 public:
  virtual ~ReplyTo() = default;
  // On the ledger's strand, at most once a group and once a submission: only post from it.
  virtual void deliver(std::vector<Answer> answers) = 0;
};

// Lines of one connection whose headers bear the same epoch and epoch_seen.
struct Submission {
  std::vector<BatchLine> lines;
  std::vector<slo::Cell> cells;
  EpochSeen epoch_seen;
  std::shared_ptr<const Sender> sender;
  std::shared_ptr<ReplyTo> reply_to;
};

}  // namespace nissa::ledger
