#include "overload/turns.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "overload/class_order.hpp"
#include "support/seed.hpp"

namespace {
using namespace nissa;
using namespace nissa::overload;
}  // namespace

TEST_CASE("a slice is a millisecond of folds, or one fold that is longer") {
  auto random = nissa::test::random_for(811);
  const Options options;
  const double slice_bytes = static_cast<double>(options.slice_ns) / options.fold_ns_per_byte;
  Turns turns(options);
  std::vector<Turns::Granted> out;
  for (int round = 0; round < 3000; ++round) {
    for (auto n = random() % 5; n > 0; --n)
      turns.ask(random(), all_priorities[random() % 4], random() % (round % 7 == 0 ? 6'000'000 : 300'000), 0);
    out.clear();
    const bool waited = turns.anyone_waits();
    turns.next_slice(0, out);
    CHECK(out.empty() != waited);
    double bytes = 0;
    for (const auto& one : out) bytes += static_cast<double>(one.bytes);
    CHECK((out.size() <= 1 || bytes <= slice_bytes));
  }
}

TEST_CASE("every turn that is asked for is granted once, within a class in order, with its wait") {
  auto random = nissa::test::random_for(812);
  Turns turns{Options{}};
  std::vector<Turns::Granted> out;
  std::vector<BootNs> asked_at;
  BootNs now = 0;
  for (int step = 0; step < 5000; ++step) {
    now += 10;
    if (random() % 3 != 0) {
      turns.ask(asked_at.size(), all_priorities[random() % 4], random() % 100'000, now);
      asked_at.push_back(now);
    }
    if (random() % 10 == 0) turns.next_slice(now, out);
  }
  while (turns.anyone_waits()) turns.next_slice(now, out);
  REQUIRE(out.size() == asked_at.size());
  PerClass<std::int64_t> last{-1, -1, -1, -1};
  for (const auto& one : out) {
    auto& before = last[index_of(one.priority)];
    CHECK(static_cast<std::int64_t>(one.ticket) > before);
    before = static_cast<std::int64_t>(one.ticket);
    CHECK(one.waited_ns >= 0);
  }
  for (const Priority priority : all_priorities) CHECK(turns.backlog_bytes(priority) == 0);
}

TEST_CASE("who is alone in line goes first, whatever it is owed; a higher class overtakes") {
  Turns turns{Options{}};
  std::vector<Turns::Granted> out;
  turns.ask(1, Priority::low, 1000, 0);
  turns.ask(2, Priority::low, 1000, 0);
  turns.ask(3, Priority::critical, 1000, 0);
  turns.ask(4, Priority::high, 1000, 0);
  turns.next_slice(0, out);
  REQUIRE(out.size() == 4);
  CHECK(out[0].ticket == 3);
  CHECK(out[1].ticket == 4);
  CHECK(out[2].ticket == 1);
  CHECK(out[3].ticket == 2);
}

TEST_CASE("no class that waits gets less than its floor of the bytes, and the rest goes to the highest") {
  auto random = nissa::test::random_for(813);
  const Options options;
  for (int round = 0; round < 20; ++round) {
    // Any sizes, a different range for each class.
    PerClass<std::size_t> largest;
    for (auto& one : largest) one = 1 + random() % (random() % 2 == 0 ? 1'000 : 1'000'000);
    ClassOrder order(options.floor_percent);
    PerClass<double> served{};
    double all = 0;
    FirstInLine first;
    for (std::size_t i = 0; i < priority_count; ++i) first[i] = 1 + random() % largest[i];
    for (int pick = 0; pick < 50'000; ++pick) {
      const auto priority = order.pick(first);
      if (!priority) FAIL("somebody waits");
      const std::size_t index = index_of(*priority);
      served[index] += static_cast<double>(first[index]);
      all += static_cast<double>(first[index]);
      order.served(*priority, first);
      first[index] = 1 + random() % largest[index];
    }
    // But for the batch that is not whole yet, and one that goes before it.
    const auto slack = 2 * static_cast<double>(*std::ranges::max_element(largest));
    for (std::size_t i = 0; i < priority_count; ++i) {
      CAPTURE(i);
      CHECK(served[i] + slack >= all * options.floor_percent[i] / 100.0);
    }
    CHECK(served[index_of(Priority::critical)] + 3 * slack >= all * 0.65);
  }
}

TEST_CASE("a LOW batch lets pass at most twenty times its bytes of higher classes, and two of their batches") {
  auto random = nissa::test::random_for(814);
  const Options options;
  Turns turns(options);
  std::vector<Turns::Granted> out;
  for (int round = 0; round < 50; ++round) {
    turns.ask(1, Priority::low, 10'000, 0);
    std::size_t others = 0;
    for (bool served = false; !served;) {
      while (turns.waiting(Priority::critical) < 50) turns.ask(2, Priority::critical, 1 + random() % 20'000, 0);
      while (turns.waiting(Priority::high) < 50) turns.ask(3, Priority::high, 1 + random() % 20'000, 0);
      out.clear();
      turns.next_slice(0, out);
      for (const auto& one : out) {
        if (one.ticket == 1) served = true;
        if (!served) others += one.bytes;
      }
    }
    CHECK(others <= 10'000 * 100 / 5 + 2 * 20'000);
  }
}
