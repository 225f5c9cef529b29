// Simulated time, chance and a list of what is going to happen: one thread, one seed, one run.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <random>

#include "support/manual_clock.hpp"

namespace nissa::simulation {

// Whatever lasts days elsewhere lasts minutes here: an epoch is fresh for one of these, remembered for eight.
inline constexpr std::int64_t simulated_day_ms = 60'000;

class World {
 public:
  explicit World(std::uint64_t seed) : random(seed) {}

  // In the order of time, then of planning.
  void after(std::int64_t ns, std::function<void()> fn) { plan_.emplace(clock.boot_ns() + ns, std::move(fn)); }
  // Does the next thing; false if nothing is planned before `end`.
  bool step(BootNs end) {
    if (plan_.empty() || plan_.begin()->first > end) {
      clock.advance(end - clock.boot_ns());
      return false;
    }
    auto next = plan_.extract(plan_.begin());
    clock.advance(next.key() - clock.boot_ns());
    next.mapped()();
    return true;
  }
  void run_for(std::int64_t ns) {
    const BootNs end = clock.boot_ns() + ns;
    while (step(end)) {
    }
  }

  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random) < p; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random);
  }

  std::mt19937_64 random;
  test::ManualClock clock;

 private:
  std::multimap<BootNs, std::function<void()>> plan_;
};

}  // namespace nissa::simulation
