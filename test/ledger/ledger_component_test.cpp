#include "ledger/ledger_component.hpp"

#include <doctest/doctest.h>

#include "ledger_world.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using journal::CommitResult;

Options small_groups() {
  Options options;
  options.commit.group_bytes = 4000;
  return options;
}

}  // namespace

TEST_CASE("after a rest a batch is committed at once, and answered when that is durable") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  REQUIRE(world.busy());
  CHECK(world.pending().batches.size() == 1);
  CHECK(world.said().empty());
  world.finish();
  CHECK(world.said() == Told{AckStatus::counted});
  CHECK_FALSE(world.busy());
}

TEST_CASE("under load the next group waits for the spacing after the end of the last commit") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.send(8, 2);
  world.quiet(20 * ms);  // a slow commit: the next group fills meanwhile
  world.finish();
  CHECK_FALSE(world.busy());
  world.quiet(4 * ms);
  world.send(8, 3);
  CHECK_FALSE(world.busy());
  world.quiet(1 * ms);
  REQUIRE(world.busy());
  CHECK(world.pending().batches.size() == 2);
  world.finish();
  CHECK(world.said() == Told(3, AckStatus::counted));
}

TEST_CASE("at each 10 s edge without a group there is a TICK, and with one there is none") {
  World world;
  const UnixMs edge = start_of(bucket_of(world.component->now_ms()) + 1);
  world.quiet((edge - world.component->now_ms() - 1) * ms);
  CHECK_FALSE(world.busy());
  world.quiet(1 * ms);
  REQUIRE(world.busy());
  CHECK(world.pending().only_time());
  CHECK(world.pending().ledger_ms == edge);
  world.finish();
  world.quiet(10'005 * ms - 10'000 * ms);
  world.send(8, 1);
  world.finish();
  world.quiet(9'990 * ms);
  CHECK_FALSE(world.busy());
  world.quiet(5 * ms);
  REQUIRE(world.busy());
  world.finish();
  CHECK(world.component->running_ms() >= 20'000);
}

TEST_CASE("idle, a day costs a record each 10 s and counts as measured") {
  World world;
  world.fake->finish_at_once(true);
  const auto before = world.disk.last_lsn;
  world.quiet(24 * 3600 * ns_per_s);
  CHECK(world.disk.last_lsn - before == 8640);
  CHECK(world.component->running_ms() >= 86'390'000);
}

TEST_CASE("a commit that takes over two seconds: who waits is told journal_slow, the retry is a duplicate") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.quiet(1999 * ms);
  CHECK(world.said().empty());
  world.quiet(1 * ms);
  const auto answers = world.inbox->take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].reason == Reason::journal_slow);
  world.send(8, 1);
  world.quiet(1999 * ms);
  CHECK(world.said().empty());
  world.finish();
  CHECK(world.said() == Told{AckStatus::duplicate});
}

TEST_CASE("what comes while a TICK is stuck is told journal_slow too") {
  World world;
  world.quiet(10 * ns_per_s);
  REQUIRE(world.busy());
  world.send(8, 1);
  world.quiet(2 * ns_per_s);
  const auto answers = world.inbox->take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].reason == Reason::journal_slow);
  world.finish();
  world.quiet(5 * ms);
  world.finish();
  CHECK(world.said().empty());
  world.send(8, 1);
  CHECK(world.said() == Told{AckStatus::duplicate});
}

TEST_CASE("a full disk: the same record is tried again each second until it is written; what is new is refused") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  const Record first = world.pending();
  for (int i = 0; i < 3; ++i) {
    world.finish(CommitResult::full);
    CHECK_FALSE(world.busy());
    world.inbox->take();
    world.send(8, 2);
    const auto answers = world.inbox->take();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].reason == Reason::disk_full);
    world.quiet(999 * ms);
    CHECK_FALSE(world.busy());
    world.quiet(1 * ms);
    REQUIRE(world.busy());
    CHECK(world.pending() == first);
  }
  world.finish();
  CHECK(world.component->counters().groups_full.value() == 3);
  world.send(8, 2);
  world.quiet(5 * ms);
  world.finish();
  CHECK(world.disk.records.size() == 3);
  world.inbox->take();
  world.send(8, 1);
  world.send(8, 2);
  CHECK(world.said() == Told(2, AckStatus::duplicate));
}

TEST_CASE("what a full group holds is refused by name when the disk is full, and when the server stops") {
  for (const bool stop : {false, true}) {
    World world(small_groups());
    world.quiet(5 * ms);
    world.send(8, 1);  // in flight
    for (Sequence sequence = 2; sequence < 40; ++sequence) world.send(8, sequence);
    REQUIRE(world.component->counters().held.value() > 0);
    CHECK_FALSE(world.component->has_room());
    if (stop) {
      world.hands.loop.spawn(
          [](LedgerComponent& ledger) -> Task<void> { co_await ledger.async_drain(0); }(*world.component));
      world.hands.settle();
    } else {
      world.finish(CommitResult::full);
    }
    CHECK(world.component->has_room());
    const Reason expected = stop ? Reason::shutting_down : Reason::disk_full;
    std::size_t refused = 0;
    for (const auto& answer : world.inbox->take()) refused += answer.reason == expected ? 1 : 0;
    CHECK(refused == world.component->counters().held.value());
    world.send(8, 99);
    const auto last = world.inbox->take();
    REQUIRE(last.size() == 1);
    CHECK(last[0].reason == expected);
    world.fake->finish_at_once(true);
    world.quiet(2 * ns_per_s);
    if (world.busy()) world.finish();
  }
}

TEST_CASE("who was held because of twins is let in when these are answered, not at the next edge") {
  World world(small_groups());
  world.quiet(5 * ms);
  world.send(8, 1);  // in flight
  for (int i = 0; i < 40; ++i) world.send(8, 1);
  REQUIRE(world.component->counters().held.value() > 0);
  world.finish();
  CHECK(world.component->has_room());
  CHECK(world.said().size() == 41);
}

TEST_CASE("a full open group holds what comes until it closes, and async_room waits as long") {
  World world(small_groups());
  world.quiet(5 * ms);
  world.send(8, 1);  // in flight
  CHECK(world.hands.get(world.component->async_room(), 0));
  for (Sequence sequence = 2; sequence < 40; ++sequence) world.send(8, sequence);
  CHECK(world.component->counters().held.value() > 0);
  bool room = false;
  world.hands.loop.spawn([](LedgerComponent& ledger, bool& flag) -> Task<void> {
    co_await ledger.async_room();
    flag = true;
  }(*world.component, room));
  world.hands.settle();
  CHECK_FALSE(room);
  world.fake->finish_at_once(true);
  world.finish();
  world.quiet(100 * ms);
  CHECK(room);
  CHECK(world.said() == Told(39, AckStatus::counted));
}

TEST_CASE("Goodbye is answered when it is durable; afterwards the epoch is unknown") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.finish();
  CHECK(world.hands.get(world.component->async_epoch_known(8)) == true);
  std::optional<bool> answer;
  world.say_goodbye(8, answer);
  world.quiet(5 * ms);
  CHECK_FALSE(answer.has_value());
  REQUIRE(world.busy());
  CHECK(world.pending().ended.size() == 1);
  world.finish();
  CHECK(answer == true);
  CHECK(world.hands.get(world.component->async_epoch_known(8)) == false);
  CHECK(world.hands.get(world.component->async_goodbye(8, {1, 0}), 0) == true);  // again: nothing to do
  world.inbox->take();
  world.send(8, 1);
  CHECK(world.inbox->take()[0].reason == Reason::unknown_epoch);
}

TEST_CASE("definitions get their ids once they are applied; a second change waits for the first") {
  World world;
  std::vector<std::string> order;
  const auto define = [&](std::vector<slo::Definition> list, std::string name) {
    world.hands.loop.spawn([](LedgerComponent& ledger, std::vector<slo::Definition> configured, std::string label,
                              std::vector<std::string>& out) -> Task<void> {
      const auto ids = co_await ledger.async_define(std::move(configured));
      for (const slo::SloId id : ids.value()) label += " " + std::to_string(id);
      out.push_back(label);
    }(*world.component, std::move(list), std::move(name), order));
  };
  define({defined("a"), defined("b")}, "first");
  define({defined("b"), defined("c")}, "second");
  world.quiet(5 * ms);
  CHECK(order.empty());
  world.finish();
  CHECK(order == std::vector<std::string>{"first 0 1"});
  world.quiet(5 * ms);
  CHECK(world.pending().defines.size() == 1);
  CHECK(world.pending().retired.size() == 1);
  world.finish();
  CHECK(order.size() == 2);
  CHECK(order.back() == "second 1 2");
  define({defined("b"), defined("c")}, "same");
  world.hands.settle();
  CHECK(order.back() == "same 1 2");
}

TEST_CASE("a drain commits what is in hand and returns; what comes afterwards is refused by name") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.send(8, 2);
  world.fake->finish_at_once(true);
  world.finish();
  CHECK(world.hands.get(world.component->async_drain(world.hands.clock.boot_ns() + 10 * ns_per_s), ns_per_s));
  CHECK(world.said() == Told(2, AckStatus::counted));
  world.send(8, 3);
  CHECK(world.inbox->take()[0].reason == Reason::shutting_down);
}

TEST_CASE("a drain whose journal hangs ends at its deadline: pending ones are in doubt, the others are not") {
  Options options;
  options.commit.group_bytes = 3000;
  options.commit.slow_after_ns = 60 * ns_per_s;
  World world(options);
  world.quiet(5 * ms);
  for (Sequence sequence = 1; sequence < 20; ++sequence) world.send(8, sequence);
  CHECK(world.component->counters().held.value() > 0);
  CHECK(world.hands.get(world.component->async_drain(world.hands.clock.boot_ns() + 10 * ns_per_s)));
  std::size_t slow = 0;
  std::size_t refused = 0;
  for (const Answer& answer : world.inbox->take()) {
    slow += answer.reason == Reason::journal_slow ? 1 : 0;
    refused += answer.reason == Reason::shutting_down ? 1 : 0;
  }
  CHECK(slow > 1);
  CHECK(refused > 1);
  CHECK(slow + refused == 19);
  for (const ClassBooks& books : world.component->counters().classes) CHECK(books.balanced());
}

TEST_CASE("a stop waits for the commit in flight and answers everybody who waits") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.send(8, 2);
  bool stopped = false;
  world.begin_stop(stopped);
  std::optional<bool> goodbye;
  world.say_goodbye(8, goodbye);
  world.hands.settle();
  CHECK_FALSE(stopped);
  world.finish();
  CHECK(stopped);
  CHECK(goodbye == false);
  CHECK(world.said() == Told{AckStatus::counted, AckStatus::refused});
  world.send(9, 1);
  CHECK(world.inbox->take()[0].reason == Reason::shutting_down);
  world.component.reset();
}

TEST_CASE("after a crash every acknowledged batch is known, and the state is what the records say") {
  World world;
  world.fake->finish_at_once(true);
  for (Sequence sequence = 1; sequence < 50; ++sequence) {
    world.quiet(3 * ns_per_s);
    world.send(8 + sequence % 3, sequence);
  }
  world.quiet(5 * ms);
  CHECK(world.said() == Told(49, AckStatus::counted));
  const auto hash = world.hands.get(world.component->async_state_hash());
  world.stop();
  const auto lsn = world.disk.last_lsn;
  world.start();
  CHECK(world.component->counters().lsn.value() == lsn);
  REQUIRE(hash.has_value());
  CHECK(world.hands.get(world.component->async_state_hash()) == hash);
  for (Sequence sequence = 1; sequence < 50; ++sequence) world.send(8 + sequence % 3, sequence);
  CHECK(world.said() == Told(49, AckStatus::duplicate));
}

TEST_CASE("the list of streams shows what is remembered") {
  World world;
  world.quiet(5 * ms);
  world.send(8, 5);
  world.finish();
  const auto list = world.hands.get(world.component->async_streams(10));
  REQUIRE(list.has_value());
  CHECK(list->epochs == 1);
  REQUIRE(list->latest.size() == 1);
  CHECK(list->latest[0].epoch == 8);
  CHECK(list->latest[0].agent == "agent");
  CHECK(list->latest[0].streams[index_of(Priority::high)].used);
  CHECK(list->latest[0].streams[index_of(Priority::high)].top == 6);
  CHECK_FALSE(list->latest[0].streams[index_of(Priority::low)].used);
}

TEST_CASE("pages show what has been applied when they were asked for") {
  World world;
  CHECK(world.component->pages()->pages.empty());
  world.fake->finish_at_once(true);
  CHECK(world.hands.get(world.component->async_define({defined("a"), defined("b")})).has_value());
  world.quiet(5 * ms);
  world.send(8, 1);
  world.quiet(5 * ms);
  CHECK(world.said() == Told{AckStatus::counted});
  const auto pages = world.hands.get(world.component->async_pages());
  REQUIRE(pages.has_value());
  REQUIRE((*pages)->pages.size() == 1);
  const auto& slos = (*pages)->pages[0]->slos;
  REQUIRE(slos.size() == 2);
  CHECK(slos[0].definition->name == "a");
  CHECK(slos[0].lifetime.total == 1);
  CHECK(slos[1].lifetime.total == 0);
  CHECK(world.component->pages() == *pages);
}
