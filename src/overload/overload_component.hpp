// Who gets in: bytes before they are read, a turn before they are folded, a refusal by name where a line does not go
// down. Around the pure cores gate, turns and queue_delay.
//
// Place in the flow: the session asks refusal() for each header, async_bytes() for each buffer, async_turn() for the
// batches of a read chunk, and folds.
// Thread statement: every function from any thread; a coroutine comes back on its caller's executor. Not a strand but a
// mutex, held for one step of a core: in the common case (there is room, nobody waits) a reservation is 50 ns and a
// turn two posts, where a hop to a strand and back would be two more. Bounds: bytes in hand by options; those who wait
// are connections, one node each.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/counter.hpp"
#include "base/histogram.hpp"
#include "base/priority.hpp"
#include "base/refusal.hpp"
#include "overload/gate.hpp"
#include "overload/options.hpp"

namespace nissa {
class EventLoop;
class Timers;
}  // namespace nissa

namespace nissa::overload {

struct Refusal {
  Reason reason = Reason::overloaded;  // overloaded, no_room or shutting_down
  std::uint32_t retry_after_ms = 0;
};

class OverloadInside;

// Bytes of read buffers that may be read into; they go back when it ends, on any thread.
class Reservation {
 public:
  Reservation() = default;
  Reservation(std::shared_ptr<OverloadInside> home, const Holding& holding);
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { give_back(); }

  void give_back();
  // Gives back what is beyond `bytes`.
  void keep(std::size_t bytes);
  // Takes over what `more` holds, if it is of the same class and sender; else false, and nothing has changed.
  bool absorb(Reservation& more);
  std::size_t bytes() const { return home_ ? holding_.bytes() : 0; }

 private:
  std::shared_ptr<OverloadInside> home_;
  Holding holding_;
};

using Admission = std::expected<Reservation, Refusal>;

// Leave to fold what was asked for, now and without awaiting anything meanwhile.
struct Turn {
  std::int64_t waited_ns = 0;
};

// One writer each (the component, under its lock); read from any thread.
struct Counters {
  PerClass<LatencyHistogram> byte_wait;  // of those who waited for bytes and got them
  PerClass<LatencyHistogram> turn_wait;  // of every turn
  PerClass<Counter> refused_overloaded;
  PerClass<Counter> refused_no_room;
  PerClass<Counter> refused_shutting_down;
  PerClass<Counter> held_now;  // waiting for bytes or for a turn
  PerClass<Counter> bytes_in_use;
  Counter reserve_in_use;  // of critical_bytes
};

class OverloadComponent {
 public:
  // `random`: from 0 to 1, called under the lock. The loop, the timers and the clock outlive the component.
  OverloadComponent(EventLoop& loop, Timers& timers, const Clock& clock, const Options& options,
                    std::function<double()> random);
  ~OverloadComponent();

  // Is this class refused now? For each batch, from its header; never for CRITICAL. Never blocks: one load while
  // nothing is refused.
  std::optional<Refusal> refusal(Priority priority);

  // At once or not at all; nullopt: there is no room now, async_bytes would wait. Never blocks.
  std::optional<Admission> try_bytes(Priority priority, SenderId sender, std::size_t bytes);
  // The same, but refused with no_room where there is none: for a door at which nobody is held.
  Admission bytes_or_refusal(Priority priority, SenderId sender, std::size_t bytes);
  // Waits for room, at most byte_wait_ns, then refuses with no_room (as more than the class may ever hold is, at
  // once). CRITICAL waits without end. After async_stop: refused with shutting_down. `held`: what the one who asks has
  // in hand of earlier reservations.
  Task<Admission> async_bytes(Priority priority, SenderId sender, std::size_t bytes, std::size_t held = 0);

  // Waits until it is this batch's (or this chunk's) turn to be folded; `bytes` as they will be folded. Never refuses.
  Task<Turn> async_turn(Priority priority, std::size_t bytes);

  // The longest that anyone waits now, for bytes or for a turn: the first signal of pressure.
  std::int64_t oldest_wait_ns() const;
  const Counters& counters() const;

  // Those who wait for bytes are refused with shutting_down; turns are granted as before. Ends when nobody waits any
  // more. Reservations may end later.
  Task<void> async_stop();

 private:
  std::shared_ptr<OverloadInside> inside_;
};

}  // namespace nissa::overload
