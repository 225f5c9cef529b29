// Where coroutines of one strand wait until something is worth doing: a component's idle loop, a writer without acks.
// Nothing is remembered: a wake with nobody parked does nothing, so look at your state, park, and look again. That is
// safe because all of it happens on the strand: nothing runs between the look and the park.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "async/strand.hpp"
#include "async/timer.hpp"

namespace nissa {

enum class [[nodiscard]] Woken : std::uint8_t {
  cancelled,  // the timers were stopped: leave the loop
  called,     // by wake_one or wake_all
  timed_out,  // the deadline came first
};
constexpr const char* name_of(Woken woken) {
  return woken == Woken::cancelled ? "cancelled" : woken == Woken::called ? "called" : "timed out";
}

// Every function on the strand. Declare it NISSA_GUARDED_BY(strand) and the compiler sees to that.
class Parking {
 public:
  explicit Parking(const Strand& strand) : strand_(strand) {}
  // With nobody parked; else a violation, and they are woken with cancelled.
  ~Parking();
  Parking(const Parking&) = delete;
  Parking& operator=(const Parking&) = delete;

  // Until woken.
  Task<void> park();
  // Until woken or until the deadline.
  [[nodiscard]] Task<Woken> park_until(Timers& timers, BootNs deadline);

  // First in, first out. False if nobody was there.
  bool wake_one();
  std::size_t wake_all();
  bool empty() const;

 private:
  struct Waiter;
  void sweep();
  Strand strand_;
  std::deque<std::shared_ptr<Waiter>> waiting_;
  std::size_t sweep_at_ = 8;  // doubles with what is alive: timed-out waiters cost O(1) each
};

}  // namespace nissa
