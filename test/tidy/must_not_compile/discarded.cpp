// What a sleep, a hop or a task returns is not thrown away: a cancelled sleep leaves the loop, and a Task that nobody
// awaits does nothing at all.
#include "async/parking.hpp"
#include "async/timer.hpp"

using namespace nissa;

namespace {

Task<void> discards_slept(Timers& timers) {
  co_await timers.sleep_for(5);  // expected-error {{ignoring return value}}
}

Task<void> discards_woken(Parking& parking, Timers& timers) {
  co_await parking.park_until(timers, 5);  // expected-error {{ignoring return value}}
}

void forgets_co_await(const Strand& strand, Timers& timers) {
  run_on(strand, [] {});  // expected-error {{ignoring return value}}
  timers.sleep_for(5);    // expected-error {{ignoring return value}}
}

Task<int> lets_a_reference_out(const Strand& strand, int& guarded) {
  co_return co_await run_on(strand, [&]() -> int& { return guarded; });  // expected-error {{no matching function}}
}

}  // namespace
