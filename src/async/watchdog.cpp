#include "async/watchdog.hpp"

#include <limits>

#include "base/mutex.hpp"

namespace nissa {
namespace {
constexpr BootNs never = std::numeric_limits<BootNs>::max();
}

struct Watchdog::Inside : std::enable_shared_from_this<Inside> {
  Inside(Timers& the_timers, std::shared_ptr<ByteStream> the_stream)
      : timers(the_timers), stream(std::move(the_stream)) {}

  Timers& timers;
  const std::weak_ptr<ByteStream> stream;
  mutable Mutex mutex;  // held while calling the timers, who call back without theirs
  BootNs deadline NISSA_GUARDED_BY(mutex) = never;
  BootNs armed_for NISSA_GUARDED_BY(mutex) = never;
  TimerId timer NISSA_GUARDED_BY(mutex) = 0;
  bool bitten NISSA_GUARDED_BY(mutex) = false;

  void set(BootNs new_deadline) {
    Lock lock(mutex);
    deadline = new_deadline;
    if (deadline >= armed_for) return;  // on_time will see that it is not yet time
    timers.cancel(timer);
    arm();
  }

  void arm() NISSA_REQUIRES(mutex) {
    armed_for = deadline;
    timer = timers.call_at(deadline, [self = shared_from_this()](Slept slept) {
      if (slept == Slept::elapsed) self->on_time();
    });
  }

  void on_time() {
    if (!is_time()) return;
    if (const auto held = stream.lock()) held->close();
  }

  bool is_time() {
    Lock lock(mutex);
    armed_for = never;
    if (deadline == never) return false;
    if (timers.now() < deadline) {
      arm();
      return false;
    }
    deadline = never;
    bitten = true;
    return true;
  }
};

Watchdog::Watchdog(Timers& timers, std::shared_ptr<ByteStream> stream)
    : inside_(std::make_shared<Inside>(timers, std::move(stream))) {}

Watchdog::~Watchdog() {
  Lock lock(inside_->mutex);
  inside_->deadline = never;
  inside_->timers.cancel(inside_->timer);
}

void Watchdog::expect_within(std::int64_t ns) { inside_->set(inside_->timers.now() + ns); }
void Watchdog::rest() { inside_->set(never); }

bool Watchdog::has_bitten() const {
  Lock lock(inside_->mutex);
  return inside_->bitten;
}

}  // namespace nissa
