// One class of the agent library: callers' threads put events in, the connection's strand takes batches out.
// The mutex is held for one event's encoding or one batch's hand-over, never while anything waits.
// Bound: max_held_bytes of events that are not settled, open bodies included.
#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "base/counter.hpp"
#include "base/mutex.hpp"
#include "client/batcher.hpp"
#include "client/connection.hpp"

namespace nissa::client {

struct LaneOptions {
  BatcherOptions batcher;
  std::uint64_t max_held_bytes = 16ULL << 20;
  std::function<void(const Settlement&)> on_loss;              // on the strand
  std::function<void(bool up, std::string_view why)> on_link;  // on the strand
  std::function<void(const Notice&)> on_notice;                // on the strand
};

struct LaneStats {
  std::uint64_t accepted = 0, held_events = 0, counted = 0, refused = 0, uncertain = 0, abandoned = 0;
  std::array<std::uint64_t, event_fault_count> rejected{};  // of the counted ones; index: number of EventFault - 1
  std::uint64_t unmatched = 0;                              // of the counted ones: belong to no SLO
  std::uint64_t batches_counted = 0, batches_resent = 0, connections_lost = 0, held_bytes = 0, dropped = 0;
};

class Lane final : public BatchSource {
 public:
  explicit Lane(LaneOptions options) : options_(std::move(options)), batcher_(options_.batcher) {}

  enum class Put : std::uint8_t {
    kept,
    kept_and_wake,  // the connection has something to do: wake it
    full,
    closed,  // after close()
  };
  // The rest on any thread. The event is valid: limits and UTF-8 were checked.
  Put put(const wire::EventHead& head, ByteView identity, BootNs now);
  void note_dropped(std::uint64_t events);
  // Nothing is taken any more; what is there will be handed over.
  void close();
  // Closes the open batch; what to wait for.
  std::uint64_t mark();
  // Until all that was there at the mark is settled. False if `within_ms` was not enough.
  bool wait_settled(std::uint64_t mark, std::uint32_t within_ms);
  LaneStats stats() const;

  // BatchSource, on the strand.
  std::optional<BootNs> fill(Stream& stream, BootNs now) override;
  void settled(const Settlement& settlement, BootNs now) override;
  void link_changed(bool up, std::string_view why) override;
  void noticed(const Notice& notice) override;

 private:
  struct Held {
    std::uint32_t bytes;
    std::uint32_t parts;  // bodies of this tag that are in the stream
  };
  void account(const Settlement& settlement) NISSA_REQUIRES(mutex_);
  bool all_settled_below(std::uint64_t mark) const NISSA_REQUIRES(mutex_);
  std::optional<BootNs> hand_over(Stream& stream, BootNs now, std::vector<Settlement>& unsendable);
  void enqueue(Stream& stream, Body body, std::vector<Settlement>& unsendable) NISSA_REQUIRES(mutex_);

  const LaneOptions options_;
  mutable Mutex mutex_;
  std::condition_variable_any settled_;
  Batcher batcher_ NISSA_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Held> unsettled_ NISSA_GUARDED_BY(mutex_);  // by tag: handed to the stream
  std::uint64_t newly_dropped_ NISSA_GUARDED_BY(mutex_) = 0;
  bool closed_ NISSA_GUARDED_BY(mutex_) = false;
  LaneStats stats_ NISSA_GUARDED_BY(mutex_);
};

}  // namespace nissa::client
