#include "ledger/ledger_clock.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "support/seed.hpp"

using namespace nissa;
using namespace nissa::ledger;

namespace {

constexpr std::int64_t second = ns_per_s;
constexpr UnixMs start_ms = 1'700'000'000'000;

// A machine whose clocks are turned by hand.
struct Machine {
  BootNs boot = 1'000 * second;
  UnixNs wall = start_ms * ns_per_ms;
  void pass(std::int64_t ns) {
    boot += ns;
    wall += ns;
  }
  LedgerClock start(UnixMs last = 0) const { return {ClockOptions{}, last, boot, wall}; }
  ClockReading read(LedgerClock& clock) const { return clock.read(boot, wall); }
  // In seconds, as a component would.
  ClockReading run(LedgerClock& clock, int seconds) {
    for (int i = 0; i < seconds; ++i) {
      pass(second);
      read(clock);
    }
    return read(clock);
  }
  UnixMs wall_ms() const { return wall / ns_per_ms; }
};

}  // namespace

TEST_CASE("ledger time begins at the wall clock and goes with it") {
  Machine machine;
  LedgerClock clock = machine.start();
  CHECK(machine.read(clock).now_ms == start_ms);
  machine.pass(1'234'567'890);
  CHECK(machine.read(clock).now_ms == start_ms + 1'234);
  CHECK(!machine.read(clock).held());
}

TEST_CASE("a wall clock that runs away slowly is followed by at most 500 ppm") {
  Machine machine;
  LedgerClock clock = machine.start();
  machine.wall += 4 * second;
  CHECK(machine.run(clock, 1'000).now_ms == machine.wall_ms() - 4'000 + 500);
  CHECK(machine.run(clock, 7'000).now_ms == machine.wall_ms());
  machine.wall -= 4 * second;
  const ClockReading slewed = machine.run(clock, 1'000);
  CHECK(slewed.now_ms == machine.wall_ms() + 4'000 - 500);
  CHECK(!slewed.held());
  CHECK(slewed.apart_ms == -3'500);
}

TEST_CASE("a step is held, time goes on along the boot clock, and it is adopted once stable for five minutes") {
  Machine machine;
  LedgerClock clock = machine.start();
  machine.wall += 86'400 * second;
  ClockReading held = machine.read(clock);
  CHECK(held.hold == ClockHold::stepped_ahead);
  CHECK(held.now_ms == start_ms);
  CHECK(held.apart_ms == 86'400'000);
  held = machine.run(clock, 299);
  CHECK(held.hold == ClockHold::stepped_ahead);
  CHECK(held.now_ms == start_ms + 299'000);
  const ClockReading adopted = machine.run(clock, 1);
  CHECK(!adopted.held());
  CHECK(adopted.now_ms == machine.wall_ms());
}

TEST_CASE("a step that is taken back leaves no trace") {
  Machine machine;
  LedgerClock clock = machine.start();
  machine.wall -= 3'600 * second;
  CHECK(machine.run(clock, 100).hold == ClockHold::stepped_back);
  machine.wall += 3'600 * second;
  const ClockReading back = machine.run(clock, 1);
  CHECK(!back.held());
  CHECK(back.now_ms == machine.wall_ms());
}

TEST_CASE("a wall clock that keeps jumping is never adopted") {
  Machine machine;
  LedgerClock clock = machine.start();
  for (int i = 1; i <= 20; ++i) {
    machine.wall += (i % 2 != 0 ? 1 : -1) * i * 60 * second;
    CHECK(machine.run(clock, 250).now_ms == start_ms + i * 250'000);
  }
}

TEST_CASE("an earlier wall clock once adopted makes time stand until it is passed") {
  Machine machine;
  LedgerClock clock = machine.start();
  machine.wall -= 3'600 * second;
  const UnixMs stood = machine.run(clock, 301).now_ms;
  CHECK(stood == start_ms + 300'000);
  CHECK(machine.read(clock).hold == ClockHold::standing);
  CHECK(machine.run(clock, 3'500).now_ms == stood);
  CHECK(machine.run(clock, 99).now_ms == stood);
  CHECK(machine.read(clock).now_ms == machine.wall_ms());
  CHECK(machine.run(clock, 1).now_ms == stood + 1'000);
  CHECK(!machine.read(clock).held());
}

TEST_CASE("an operator accepts a step at once, and is told for how long short windows will be blind") {
  Machine machine;
  LedgerClock clock = machine.start();
  CHECK(clock.accept().moved_ms == 0);
  machine.wall -= 3'600 * second;
  machine.run(clock, 10);
  const ClockAccepted accepted = clock.accept();
  CHECK(accepted.moved_ms == -3'600'000);
  CHECK(accepted.blind_ms == 3'600'000);
  CHECK(machine.read(clock).now_ms == start_ms + 10'000);
}

TEST_CASE("a start with the wall clock before the last ledger time stands there") {
  Machine machine;
  LedgerClock clock = machine.start(start_ms + 60'000);
  CHECK(machine.read(clock).now_ms == start_ms + 60'000);
  CHECK(machine.read(clock).hold == ClockHold::standing);
  CHECK(machine.run(clock, 61).now_ms == start_ms + 61'000);
}

TEST_CASE("a suspended machine is no step: the boot clock slept along") {
  Machine machine;
  LedgerClock clock = machine.start();
  machine.pass(8 * 3'600 * second);
  CHECK(!machine.read(clock).held());
  CHECK(machine.read(clock).now_ms == machine.wall_ms());
}

TEST_CASE("any steps: time never goes back, is held to the boot clock's pace, and arrives at the wall clock") {
  auto random = test::random_for(0x10c);
  for (int round = 0; round < 200; ++round) {
    Machine machine;
    LedgerClock clock = machine.start(random() % 3 == 0 ? start_ms + static_cast<UnixMs>(random() % 100'000) : 0);
    ClockReading before = machine.read(clock);
    for (int i = 0; i < 300; ++i) {
      const auto passed = static_cast<std::int64_t>(random() % (random() % 20 == 0 ? 600 * second : 2 * second));
      machine.pass(passed);
      machine.wall += static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000;
      if (random() % 30 == 0) machine.wall += (static_cast<std::int64_t>(random() % 7'200) - 3'600) * second;
      const ClockReading now = machine.read(clock);
      const std::int64_t moved = now.now_ms - before.now_ms;
      CHECK(moved >= 0);
      if (now.held() && now.hold != ClockHold::standing) CHECK(moved <= passed / ns_per_ms + 1);
      if (!now.held() && !before.held()) CHECK(std::abs(moved - passed / ns_per_ms) <= 2 + passed / 2'000 / ns_per_ms);
      before = now;
    }
    const ClockReading late = machine.run(clock, 11'000);  // 5 s at 500 ppm, and five minutes
    if (late.hold == ClockHold::standing) machine.pass(-late.apart_ms * ns_per_ms);
    CHECK(machine.read(clock).now_ms == machine.wall_ms());
  }
}

TEST_CASE("absurd readings are taken without overflow") {
  constexpr std::int64_t least = INT64_MIN;
  constexpr std::int64_t most = INT64_MAX;
  LedgerClock clock(ClockOptions{}, 0, least, most);
  UnixMs last = 0;
  for (const BootNs boot : {least, most, std::int64_t{0}, std::int64_t{5}})
    for (const UnixNs wall : {least, most, std::int64_t{0}, std::int64_t{-7}}) {
      const UnixMs now = clock.read(boot, wall).now_ms;
      CHECK(now >= last);
      last = now;
      clock.accept();
    }
}

TEST_CASE("running time is the sum of the distances that were measured") {
  CHECK(running_after(100, 1'000, 21'000) == 20'100);
  CHECK(running_after(100, 1'000, 21'001) == 100);
  CHECK(running_after(100, 1'000, 1'000) == 100);
}
