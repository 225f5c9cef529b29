#include "async/strand.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "async/parked.hpp"
#include "base/result.hpp"
#include "support/hand_loop.hpp"
#include "support/seed.hpp"

using namespace nissa;
using nissa::test::HandLoop;

namespace {

struct Counted {
  explicit Counted(EventLoop& loop) : strand(loop) {}
  Strand strand;
  long value NISSA_GUARDED_BY(strand) = 0;

  Task<long> async_add(long n) {
    return run_on(strand, [this, n] {
      strand.entered();
      return value += n;
    });
  }
  long marked(long n) NISSA_REQUIRES(strand) { return value += n; }
};

Task<bool> returns_home(Strand& home, Counted& counted) {
  home.entered();
  co_await counted.async_add(1);
  co_return home.is_entered() && !counted.strand.is_entered();
}

Task<void> add_many(Counted& counted, int times) {
  for (int i = 0; i < times; ++i) co_await counted.async_add(1);
}

template <class T>
Task<void> store(Task<T> task, T& into) {
  into = co_await std::move(task);
}

Task<std::string> message_of(Strand& strand) {
  try {
    co_await run_on(strand, [] { throw std::runtime_error("out of luck"); });
  } catch (const std::exception& error) {
    co_return error.what();
  }
  co_return "";
}

}  // namespace

TEST_CASE("run_on comes back on the caller's strand, not on the one it visited") {
  HandLoop hand;
  Strand home(hand.loop);
  Counted counted(hand.loop);
  bool at_home = false;
  spawn_on(home, store(returns_home(home, counted), at_home));
  hand.settle();
  CHECK(at_home);
}

TEST_CASE("run_on brings back values, results and nothing at all") {
  HandLoop hand;
  Counted counted(hand.loop);
  CHECK(hand.get(counted.async_add(3)) == 3);
  CHECK(hand.get(run_on(counted.strand, [&]() NISSA_REQUIRES(counted.strand) { return counted.marked(4); })) == 7);
  CHECK(hand.get(run_on(counted.strand, [] {})));
  const auto refused = hand.get(run_on(counted.strand, []() -> Result<int> { return failure("no"); }));
  CHECK(refused->error().message == "no");
}

TEST_CASE("what is thrown on the strand is thrown where it was asked") {
  HandLoop hand;
  Strand strand(hand.loop);
  CHECK(hand.get(message_of(strand)) == "out of luck");
}

TEST_CASE("entered() off the strand is a violation") {
  HandLoop hand;
  Strand strand(hand.loop);
  nissa::test::ExpectViolations expect;
  strand.entered();
  CHECK(expect.seen() == 1);
}

TEST_CASE("an exception that leaves a spawned task, or something posted, is a violation and not the end") {
  HandLoop hand;
  Strand strand(hand.loop);
  nissa::test::ExpectViolations expect;
  post_to(strand, [] { throw std::runtime_error("posted"); });
  hand.loop.spawn([]() -> Task<void> {
    throw std::runtime_error("spawned");
    co_return;
  }());
  hand.settle();
  CHECK(expect.seen() == 2);
  CHECK(hand.loop.alive() == 0);
}

TEST_CASE("posts to a strand run in their order, behind what is ready") {
  HandLoop hand;
  Strand strand(hand.loop);
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) post_to(strand, [&order, i] { order.push_back(i); });
  CHECK(order.empty());
  hand.settle();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("a strand counts right under four threads") {
  EventLoop loop(4);
  Counted counted(loop);
  for (int i = 0; i < 8; ++i) {
    Strand own(loop);
    spawn_on(own, add_many(counted, 500));
  }
  for (int i = 0; i < 1000; ++i)
    post_to(counted.strand, [&] {
      counted.strand.entered();
      ++counted.value;
    });
  loop.release();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { loop.run(); });
  for (auto& thread : threads) thread.join();
  long total = 0;
  HandLoop after;
  post_to(counted.strand, [&] {
    counted.strand.entered();
    total = counted.value;
  });
  loop.run_ready();
  CHECK(total == 8 * 500 + 1000);
}

TEST_CASE("park_on waits for an answer that the owner gives later, and comes back") {
  HandLoop hand;
  Strand owner(hand.loop);
  Strand home(hand.loop);
  std::vector<Parked<int>> held;
  int answer = 0;
  bool back = false;
  spawn_on(home,
           [](Strand& own, Strand& from, std::vector<Parked<int>>& holding, int& into, bool& at_home) -> Task<void> {
             into = co_await park_on<int>(own, [&](Parked<int> parked) {
               own.entered();
               holding.push_back(std::move(parked));
             });
             at_home = from.is_entered() && !own.is_entered();
           }(owner, home, held, answer, back));
  hand.settle();
  REQUIRE(held.size() == 1);
  CHECK(answer == 0);
  held[0].wake(42);
  held.clear();
  hand.settle();
  CHECK(answer == 42);
  CHECK(back);
}

TEST_CASE("a parked coroutine that is dropped is a violation, and goes on with the cautious value") {
  HandLoop hand;
  Slept slept = Slept::elapsed;
  {
    nissa::test::ExpectViolations expect;
    hand.loop.spawn(store(park<Slept>([](Parked<Slept>) {}), slept));
    hand.settle();
    CHECK(expect.seen() == 1);
  }
  CHECK(slept == Slept::cancelled);
}
