#include "overload/overload_component.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>

#include "support/hand_loop.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::overload;
using nissa::test::HandLoop;

constexpr std::int64_t ms = ns_per_ms;

struct Node {
  explicit Node(const Options& options = {.ingest_bytes = 10'000, .critical_bytes = 2'000})
      : overload(world.loop, world.timers, world.clock, options, [] { return 0.5; }) {}
  ~Node() { CHECK(world.get(overload.async_stop())); }

  // Fills the pool as far as the class may.
  std::vector<Reservation> fill(Priority priority) {
    std::vector<Reservation> all;
    for (SenderId sender = 1000;; ++sender) {
      auto one = overload.try_bytes(priority, sender, 100);
      if (!one) return all;
      REQUIRE(*one);
      all.push_back(std::move(**one));
    }
  }
  // Asks in the background; what came of it is in `answers`, by name.
  void ask(std::string name, Priority priority, SenderId sender, std::size_t bytes) {
    world.loop.spawn([](Node& node, std::string who, Priority cls, SenderId from, std::size_t n) -> Task<void> {
      auto admission = co_await node.overload.async_bytes(cls, from, n);
      node.answers.push_back(who + (admission ? " admitted" : " " + std::string(name_of(admission.error().reason))));
      if (admission) node.kept.push_back(std::move(*admission));
    }(*this, std::move(name), priority, sender, bytes));
    world.settle();
  }

  HandLoop world;
  OverloadComponent overload;
  std::vector<std::string> answers;
  std::vector<Reservation> kept;
};

using Answers = std::vector<std::string>;

}  // namespace

TEST_CASE("bytes are back when the reservation ends, and let in who waits") {
  Node node;
  auto all = node.fill(Priority::low);
  CHECK(all.size() == 50);
  CHECK(node.overload.counters().bytes_in_use[0].value() == 5000);
  node.ask("a", Priority::low, 1, 300);
  CHECK(node.answers.empty());
  CHECK(node.overload.counters().held_now[0].value() == 1);
  all.resize(48);
  node.world.settle();
  CHECK(node.answers.empty());
  all.resize(47);
  node.world.settle();
  CHECK(node.answers == Answers{"a admitted"});
  CHECK(node.overload.counters().held_now[0].value() == 0);
  all.clear();
  node.kept.clear();
  CHECK(node.overload.counters().bytes_in_use[0].value() == 0);
}

TEST_CASE("who waits for bytes is refused with no_room at the deadline; CRITICAL is held on") {
  Node node;
  const auto all = node.fill(Priority::critical);
  node.ask("low", Priority::low, 1, 300);
  node.world.pass(2'000 * ms);
  node.ask("high", Priority::high, 1, 300);
  node.ask("critical", Priority::critical, 1, 300);
  node.world.pass(2'999 * ms);
  CHECK(node.answers.empty());
  node.world.pass(1 * ms);
  CHECK(node.answers == Answers{"low no_room"});
  node.world.pass(2'000 * ms);
  CHECK(node.answers == Answers{"low no_room", "high no_room"});
  CHECK(node.overload.counters().refused_no_room[0].value() == 1);
  node.world.pass(3'600'000 * ms);
  CHECK(node.answers.size() == 2);
  CHECK(node.overload.oldest_wait_ns() > 3'600'000 * ms);
}

TEST_CASE("when it stops, who waits for bytes is refused with shutting_down, and who comes later too") {
  Node node;
  const auto all = node.fill(Priority::critical);
  node.ask("held", Priority::critical, 1, 300);
  CHECK(node.world.get(node.overload.async_stop()));
  CHECK(node.answers == Answers{"held shutting_down"});
  node.ask("late", Priority::low, 1, 300);
  CHECK(node.answers.back() == "late shutting_down");
  CHECK(node.world.get(node.overload.async_turn(Priority::low, 100)));
}

TEST_CASE("a server that stops with nothing in line does not send its agents away for a minute") {
  Node node;
  CHECK(node.world.get(node.overload.async_stop()));
  const auto late = node.overload.try_bytes(Priority::low, 1, 300);
  REQUIRE(late);
  REQUIRE(!*late);
  CHECK(late->error().reason == Reason::shutting_down);
  CHECK(late->error().retry_after_ms == 150);  // least, by the half of the random factor
}

TEST_CASE("who finds no room is told to wait for the bytes in hand, which do not drain here") {
  Node node;
  const auto all = node.fill(Priority::low);
  const auto never = node.overload.try_bytes(Priority::low, 1, 5001);
  REQUIRE(never);
  REQUIRE(!*never);
  CHECK(never->error().reason == Reason::no_room);
  CHECK(never->error().retry_after_ms == 90'000);
}

TEST_CASE("more than a class may ever hold is refused at once") {
  Node node;
  node.ask("a", Priority::low, 1, 5001);
  CHECK(node.answers == Answers{"a no_room"});
}

TEST_CASE("whoever asked for a turn before the slice is cut is in line, and the highest class folds first") {
  Node node;
  const auto turn = [&node](std::string name, Priority priority) {
    node.world.loop.spawn([](Node& in, std::string who, Priority cls) -> Task<void> {
      co_await in.overload.async_turn(cls, 1000);
      in.answers.push_back(who);
    }(node, std::move(name), priority));
  };
  turn("low", Priority::low);
  turn("normal", Priority::normal);
  turn("critical", Priority::critical);
  turn("high", Priority::high);
  node.world.settle();
  CHECK(node.answers == Answers{"critical", "high", "normal", "low"});
}

TEST_CASE("a standing line of LOW refuses LOW by name, never CRITICAL, and re-opens when it is gone") {
  Node node;
  bool busy = true;
  PerClass<std::int64_t> turns{};
  // Each fold takes a millisecond of the only thread; a hundred connections want the next turn at once.
  const auto connection = [&](Priority priority) -> Task<void> {
    while (busy) {
      co_await node.overload.async_turn(priority, 2'000'000);
      node.world.clock.advance(1 * ms);
      ++turns[index_of(priority)];
      if (node.world.clock.boot_ns() > 3'602 * ns_per_s) busy = false;
    }
  };
  CHECK(!node.overload.refusal(Priority::low));
  bool refused = false;
  std::uint32_t retry_after_ms = 0;
  for (int i = 0; i < 100; ++i) node.world.loop.spawn(connection(Priority::low));
  node.world.loop.spawn([](Node& in, const bool& on, bool& low_refused, std::uint32_t& retry) -> Task<void> {
    while (on) {
      co_await in.overload.async_turn(Priority::critical, 1000);
      CHECK(!in.overload.refusal(Priority::critical));
      if (const auto refusal = in.overload.refusal(Priority::low)) {
        low_refused = true;
        retry = refusal->retry_after_ms;
        CHECK(refusal->reason == Reason::overloaded);
        CHECK(in.world.clock.boot_ns() > 3'600 * ns_per_s + 500 * ms);
      }
    }
  }(node, busy, refused, retry_after_ms));
  node.world.settle();
  CHECK(refused);
  CHECK(retry_after_ms >= 100);
  CHECK(turns[0] > 1500);
  CHECK(!node.overload.refusal(Priority::low));
  CHECK(node.overload.counters().refused_overloaded[0].value() > 0);
}

TEST_CASE("under four threads all that is given comes back, and every turn is granted") {
  EventLoop loop(4);
  SystemClock clock;
  Timers timers(loop, clock);
  OverloadComponent overload(loop, timers, clock, {.ingest_bytes = 10'000, .critical_bytes = 2'000},
                             [] { return 0.5; });
  std::atomic<int> turns = 0, refused = 0, running = 40;
  for (int i = 0; i < 40; ++i) {
    loop.spawn([](OverloadComponent& gate, EventLoop& on, Timers& time, std::atomic<int>& granted,
                  std::atomic<int>& no_room, std::atomic<int>& left, int number) -> Task<void> {
      auto random = nissa::test::random_for(830 + static_cast<unsigned long long>(number));
      const Priority priority = all_priorities[static_cast<std::size_t>(number) % 4];
      for (int round = 0; round < 300; ++round) {
        auto admission = co_await gate.async_bytes(priority, random() % 5, 1 + random() % 900);
        if (admission) {
          co_await gate.async_turn(priority, admission->bytes());
          ++granted;
        } else {
          ++no_room;
        }
        (void)gate.refusal(priority);
        (void)gate.oldest_wait_ns();
      }
      if (--left > 0) co_return;
      co_await gate.async_stop();
      time.stop();
      on.release();
    }(overload, loop, timers, turns, refused, running, i));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&loop] { loop.run(); });
  for (auto& thread : threads) thread.join();
  CHECK(turns + refused == 40 * 300);
  for (const Priority priority : all_priorities) {
    CHECK(overload.counters().bytes_in_use[index_of(priority)].value() == 0);
    CHECK(overload.counters().held_now[index_of(priority)].value() == 0);
  }
  CHECK(overload.counters().reserve_in_use.value() == 0);
}
