// The inside of overload_component: the state of gate, turns and delays, and the verbs that the sources beside this
// header define. overload_bytes.cpp: who waits for bytes. overload_turns.cpp: who waits for a turn, and which class is
// refused. Any thread: one mutex, held for one step of a core.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/parked.hpp"
#include "base/episode.hpp"
#include "base/mutex.hpp"
#include "overload/overload_component.hpp"
#include "overload/queue_delay.hpp"
#include "overload/retry_after.hpp"
#include "overload/turns.hpp"

namespace nissa::overload {

// What one who waits for bytes is woken with; dropped against all rules, it is refused.
struct BytesAnswer {
  std::optional<Holding> holding;
  Refusal refusal{.reason = Reason::shutting_down};
};
using ParkedForBytes = Parked<BytesAnswer>;
using ParkedForTurn = Parked<Turn>;

// All state behind one mutex. Nobody is woken while it is held: waking posts, and may run a destructor.
class OverloadInside : public std::enable_shared_from_this<OverloadInside> {
 public:
  OverloadInside(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                 std::function<double()> random)
      : loop_(loop), timers_(timers), clock_(clock), options_(options), random_(std::move(random)) {}

  std::optional<Refusal> refusal(Priority priority);
  std::optional<Admission> try_bytes(Priority priority, SenderId sender, std::size_t bytes);
  Admission bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes);
  void wait_for_bytes(ParkedForBytes parked, Priority priority, SenderId sender, std::size_t bytes, std::size_t held);
  void wait_for_turn(ParkedForTurn parked, Priority priority, std::size_t bytes);
  void give_back(const Holding& holding);
  std::int64_t oldest_wait_ns();
  void stop();
  bool idle();

  Counters counters;

 private:
  struct WokenForBytes {
    ParkedForBytes parked;
    BytesAnswer answer;
  };
  using WakeList = std::vector<WokenForBytes>;
  static void wake(WakeList& list);

  Refusal refuse(Priority priority, Reason reason, BootNs now) NISSA_REQUIRES(mutex_);
  void let_in(BootNs now, WakeList& list) NISSA_REQUIRES(mutex_);
  void pull(Gate::Ticket ticket, BytesAnswer answer, WakeList& list) NISSA_REQUIRES(mutex_);
  void publish_gate(Priority priority) NISSA_REQUIRES(mutex_);
  void publish_line(Priority priority) NISSA_REQUIRES(mutex_);
  // When the timer is to be set, if it is not; set it after the lock is gone, for stopped timers call back at once.
  std::optional<BootNs> deadline_to_arm() NISSA_REQUIRES(mutex_);
  void arm(std::optional<BootNs> deadline);
  void on_deadline();
  void post_slice();
  void grant_slice();
  // A class that is refused from now on, or no more.
  struct Change {
    Priority priority = Priority::low;
    bool refused = false;
    std::int64_t wait_ns = 0;       // the oldest in any line
    std::size_t backlog_bytes = 0;  // before a batch of this class
    std::uint64_t refusals = 0;     // of this class while it lasted
    std::int64_t lasted_ms = 0;
  };
  void note_changes(std::uint32_t before, std::uint32_t refusing, BootNs now) NISSA_REQUIRES(mutex_);
  void tell_changes();

  EventLoop& loop_;
  Timers& timers_;
  const Clock& clock_;
  const Options options_;
  std::atomic<std::uint32_t> refusing_{0};  // a bit a class: so that refusal() is one load in good times

  Mutex mutex_;
  std::function<double()> random_ NISSA_GUARDED_BY(mutex_);
  Gate gate_ NISSA_GUARDED_BY(mutex_){options_};
  Turns turns_ NISSA_GUARDED_BY(mutex_){options_};
  PerClass<QueueDelay> delay_ NISSA_GUARDED_BY(mutex_){QueueDelay{options_.standing_ns, options_.target_wait_ns[0]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[1]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[2]},
                                                       QueueDelay{options_.standing_ns, options_.target_wait_ns[3]}};
  DrainRate drain_ NISSA_GUARDED_BY(mutex_);
  std::unordered_map<Gate::Ticket, ParkedForBytes> parked_bytes_ NISSA_GUARDED_BY(mutex_);
  // A turn's ticket is its place here: the common way allocates nothing.
  std::vector<std::optional<ParkedForTurn>> parked_turns_ NISSA_GUARDED_BY(mutex_);
  std::vector<Turns::Ticket> free_turns_ NISSA_GUARDED_BY(mutex_);
  bool slice_posted_ NISSA_GUARDED_BY(mutex_) = false;
  bool deadline_armed_ NISSA_GUARDED_BY(mutex_) = false;
  bool stopping_ NISSA_GUARDED_BY(mutex_) = false;
  PerClass<Episode> refused_ NISSA_GUARDED_BY(mutex_);
  PerClass<std::uint64_t> refusals_before_ NISSA_GUARDED_BY(mutex_){};
  // Only grant_slice, of which one is under way at most (slice_posted_): kept, for their memory.
  std::vector<Turns::Granted> granted_;
  std::vector<std::pair<ParkedForTurn, Turn>> to_wake_;
  std::vector<Change> changes_;
};

}  // namespace nissa::overload
