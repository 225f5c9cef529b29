// The batches that bear a key of one epoch, in one class: at most 256, [settled_below, next sequence); 4 096 where they
// were restored. Pure; not synchronised. Look-up is by index; the search for one to resend looks at no more than these.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>

#include "client/stream_types.hpp"

namespace nissa::client {

struct Keyed {
  Body body;
  bool in_flight = false;  // sent on this connection, not answered yet
  // An earlier sending was never answered (connection lost, journal, journal_slow), or answered by a refusal other than
  // unknown_epoch, of which a copy of that sending need not know: it may be counted.
  bool in_doubt = false;
  BootNs sent_at = 0;    // the last sending
  bool resumed = false;  // keyed by an earlier process
};

class KeyedEpoch {
 public:
  KeyedEpoch(Epoch id, EpochSeen seen) : id_(id), seen_(seen), fresh_at_(seen.running_ms) {}

  Epoch id() const { return id_; }
  EpochSeen seen() const { return seen_; }
  Sequence settled_below() const { return first_; }
  bool empty() const { return slots_.empty(); }
  std::uint32_t span() const { return static_cast<std::uint32_t>(slots_.size()); }
  std::uint32_t waiting() const { return waiting_; }  // to be sent again

  // Takes a batch for its first sending, now. The pointer is valid until the next change of this epoch.
  Keyed* key(Body&& body, BootNs now, Sequence& sequence);
  // Takes a batch that an earlier process had keyed, to be sent again: in doubt. Of ascending numbers; false if not, or
  // if they are spread too wide.
  bool restore(Sequence sequence, Body&& body);
  Keyed* find(Sequence sequence);
  // The lowest number that waits; only if waiting() > 0.
  Sequence first_waiting() const;
  void sent_again(Keyed& batch, BootNs now);
  // In flight → waiting; nothing if it was not in flight.
  void answered_for_retry(Keyed& batch);
  // A lost connection: all that was in flight waits, unanswered for ever.
  void lost();
  // The number is done with; the body comes out. `sequence` must be held.
  Body settle(Sequence sequence);
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& slot : slots_)
      if (slot) visit(*slot);
  }

  // An epoch may take new batches while its own beginning, or the last COUNTED, is less than fresh_for_ms old.
  bool fresh(EpochSeen now, RunningMs fresh_for_ms) const;
  void counted_at(EpochSeen now);

  void retire() { retired_ = true; }
  bool retired() const { return retired_; }  // takes no new batches
  // Another may use it, or the server does not know it: no Goodbye is said for it.
  void suspect() { retired_ = suspect_ = true; }
  bool suspected() const { return suspect_; }

 private:
  Epoch id_;
  EpochSeen seen_;
  RunningMs fresh_at_;
  Sequence first_ = 1;                      // of slots_[0]; all below are settled
  std::deque<std::optional<Keyed>> slots_;  // empty ones are settled; the first never is empty
  std::uint32_t waiting_ = 0;
  bool retired_ = false;
  bool suspect_ = false;
};

}  // namespace nissa::client
