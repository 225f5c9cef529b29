// How long a connection has let us wait, and for what. Time that it is held by us is not its own.
// Written on the connection's strand; over() from any thread, as of a moment ago: whoever acts on it asks again on the
// strand.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>

#include "base/refusal.hpp"
#include "base/time_types.hpp"
#include "ingest/options.hpp"

namespace nissa::ingest {

class Patience {
 public:
  explicit Patience(BootNs now) : connected_(now) { set(now, Phase::idle); }

  void greeted() { greeted_.store(true, std::memory_order_relaxed); }
  // Nothing of it is here.
  void idle(BootNs now) { set(now, Phase::idle); }
  // A frame has begun and is not complete; its time runs from the first call on.
  void frame(BootNs now) {
    if (phase_of(state()) != Phase::frame) set(now, Phase::frame);
  }
  // A frame is complete, or we let it wait: no time of its own runs.
  void work() { set(0, Phase::work); }

  // Around a wait that is our doing.
  class Held {
    friend class Patience;
    std::int64_t state;
    BootNs since;
  };
  Held hold(BootNs now) {
    Held held;
    held.state = state();
    held.since = now;
    work();
    return held;
  }
  void go_on(const Held& held, BootNs now) {
    const std::int64_t waited_ns = now - held.since;
    set(since_of(held.state) + waited_ns, phase_of(held.state));
    connected_.store(connected_.load(std::memory_order_relaxed) + waited_ns, std::memory_order_relaxed);
  }

  // Why this connection is to be closed now, if it is: no Hello, a frame that does not come to its end, or idle.
  std::optional<Reason> over(BootNs now, const Options& options) const {
    const std::int64_t seen = state();
    if (phase_of(seen) == Phase::work) return std::nullopt;
    const auto past = [now](BootNs since, std::int64_t limit_ms) { return now - since >= limit_ms * ns_per_ms; };
    if (!greeted_.load(std::memory_order_relaxed) &&
        past(connected_.load(std::memory_order_relaxed), options.hello_timeout_ms))
      return Reason::hello_expected;
    if (phase_of(seen) == Phase::frame && past(since_of(seen), options.frame_timeout_ms)) return Reason::slow_frame;
    if (phase_of(seen) == Phase::idle && past(since_of(seen), options.idle_timeout_ms)) return Reason::idle;
    return std::nullopt;
  }
  // A frame has stood half sent for so long.
  bool frame_stands(BootNs now, std::int64_t ns) const {
    const std::int64_t seen = state();
    return phase_of(seen) == Phase::frame && now - since_of(seen) >= ns;
  }

 private:
  enum class Phase : std::int64_t { work = 0, idle = 1, frame = 2 };
  // Phase and time in one word, so that no reader sees the phase of one moment with the time of another: nanoseconds,
  // whose last two bits give way.
  static Phase phase_of(std::int64_t state) { return static_cast<Phase>(state & 3); }
  static BootNs since_of(std::int64_t state) { return state & ~std::int64_t{3}; }
  std::int64_t state() const { return state_.load(std::memory_order_relaxed); }
  void set(BootNs since, Phase phase) {
    state_.store((since & ~std::int64_t{3}) | static_cast<std::int64_t>(phase), std::memory_order_relaxed);
  }

  std::atomic<std::int64_t> state_{0};
  std::atomic<BootNs> connected_;
  std::atomic<bool> greeted_{false};
};

}  // namespace nissa::ingest
