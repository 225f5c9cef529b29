#include "async/timer_heap.hpp"

#include <doctest/doctest.h>

#include <map>

#include "support/seed.hpp"

using nissa::TimerHeap;
using nissa::TimerId;

TEST_CASE("an entry comes out at its deadline and not before") {
  TimerHeap<int> heap;
  heap.insert(10, 1);
  CHECK(heap.earliest() == 10);
  CHECK(!heap.pop_due(9));
  CHECK(heap.pop_due(10) == 1);
  CHECK(!heap.earliest());
}

TEST_CASE("equal deadlines come out in the order of insertion") {
  TimerHeap<int> heap;
  for (int i = 0; i < 100; ++i) heap.insert(7, i);
  for (int i = 0; i < 100; ++i) CHECK(heap.pop_due(7) == i);
}

TEST_CASE("an erased entry does not come out, and its id never names another") {
  TimerHeap<int> heap;
  const TimerId first = heap.insert(1, 1);
  CHECK(heap.erase(first) == 1);
  const TimerId second = heap.insert(1, 2);
  CHECK(first != second);
  CHECK(!heap.erase(first));
  CHECK(!heap.erase(0));
  CHECK(heap.pop_due(1) == 2);
}

TEST_CASE("the heap does what a sorted map does, for random insertions, erasures and times") {
  auto random = nissa::test::random_for(101);
  TimerHeap<std::uint64_t> heap;
  std::multimap<nissa::BootNs, std::uint64_t> oracle;  // equal keys keep the order of insertion
  std::map<std::uint64_t, TimerId> ids;
  std::uint64_t next = 0;
  for (int step = 0; step < 20'000; ++step) {
    const auto dice = random() % 10;
    if (dice < 5) {
      const auto deadline = static_cast<nissa::BootNs>(random() % 500);
      ids[next] = heap.insert(deadline, next);
      oracle.emplace(deadline, next++);
    } else if (dice < 7 && !oracle.empty()) {
      auto victim = std::next(oracle.begin(), static_cast<long>(random() % oracle.size()));
      CHECK(heap.erase(ids[victim->second]) == victim->second);
      oracle.erase(victim);
    } else {
      const auto now = static_cast<nissa::BootNs>(random() % 500);
      const bool due = !oracle.empty() && oracle.begin()->first <= now;
      const auto out = heap.pop_due(now);
      REQUIRE(out.has_value() == due);
      if (due) {
        CHECK(*out == oracle.begin()->second);
        oracle.erase(oracle.begin());
      }
    }
    REQUIRE(heap.size() == oracle.size());
  }
}
