#include "async/parking.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "async/latch.hpp"
#include "async/mailbox.hpp"
#include "support/hand_loop.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace nissa;
using nissa::test::HandLoop;

namespace {

// A component in miniature, as async/task.hpp shows it.
struct Worker {
  Worker(EventLoop& loop, Timers& the_timers) : strand(loop), timers(the_timers), idle(strand) {
    spawn_on(strand, run());
  }
  Strand strand;
  Timers& timers;
  Parking idle NISSA_GUARDED_BY(strand);
  bool stopping NISSA_GUARDED_BY(strand) = false;
  int waiting NISSA_GUARDED_BY(strand) = 0;
  int done NISSA_GUARDED_BY(strand) = 0;
  Latch ended;

  Task<void> run() {
    strand.entered();
    while (!stopping) {
      if (waiting == 0) {
        co_await idle.park();
        continue;
      }
      done += waiting;
      waiting = 0;
    }
    ended.open();
  }
  void submit(int n) {
    post_to(strand, [this, n] {
      strand.entered();
      waiting += n;
      idle.wake_all();
    });
  }
  Task<int> async_stop() {
    co_await run_on(strand, [this] {
      strand.entered();
      stopping = true;
      idle.wake_all();
    });
    co_await ended.wait();
    co_return co_await run_on(strand, [this] {
      strand.entered();
      return done;
    });
  }
};

Task<void> note_woken(Parking& parking, Timers& timers, BootNs deadline, std::vector<Woken>& notes) {
  notes.push_back(co_await parking.park_until(timers, deadline));
}

Task<void> take_all(std::shared_ptr<Mailbox<int>> mailbox, std::vector<std::vector<int>>& taken) {
  for (;;) {
    auto items = co_await mailbox->take();
    if (items.empty()) co_return;
    taken.push_back(std::move(items));
  }
}

}  // namespace

TEST_CASE("a component's loop parks when idle, works when woken, and ends when stopped") {
  HandLoop hand;
  Worker worker(hand.loop, hand.timers);
  hand.settle();
  worker.submit(2);
  worker.submit(3);
  CHECK(hand.get(worker.async_stop()) == 5);
  CHECK(hand.loop.alive() == 0);
}

TEST_CASE("who parks with a deadline is told whether it was called, timed out or cancelled, once") {
  HandLoop hand;
  Strand strand(hand.loop);
  Parking parking(strand);
  std::vector<Woken> notes;
  const BootNs start = hand.timers.now();
  for (int i : {1, 2, 3}) spawn_on(strand, note_woken(parking, hand.timers, start + i * 100, notes));
  hand.pass(100);
  CHECK(notes == std::vector{Woken::timed_out});
  post_to(strand, [&] {
    CHECK(parking.wake_one());
    CHECK(!parking.empty());
  });
  hand.pass(150);
  CHECK(notes == std::vector{Woken::timed_out, Woken::called});
  hand.timers.stop();
  hand.settle();
  CHECK(notes == std::vector{Woken::timed_out, Woken::called, Woken::cancelled});
  post_to(strand, [&] {
    CHECK(parking.empty());
    CHECK(!parking.wake_one());
  });
  hand.settle();
}

TEST_CASE("a latch lets through whoever comes before and after it opens") {
  HandLoop hand;
  Latch latch;
  int through = 0;
  const auto pass = [](Latch& gate, int& count) -> Task<void> {
    co_await gate.wait();
    ++count;
  };
  for (int i = 0; i < 3; ++i) hand.loop.spawn(pass(latch, through));
  hand.settle();
  CHECK(through == 0);
  CHECK(!latch.is_open());
  latch.open();
  hand.settle();
  CHECK(through == 3);
  hand.loop.spawn(pass(latch, through));
  hand.settle();
  CHECK(through == 4);
}

TEST_CASE("a mailbox wakes its owner once for all that came meanwhile") {
  HandLoop hand;
  auto mailbox = std::make_shared<Mailbox<int>>();
  std::vector<std::vector<int>> taken;
  hand.loop.spawn(take_all(mailbox, taken));
  hand.settle();
  mailbox->deliver({1});
  mailbox->deliver({2, 3});
  mailbox->deliver({});
  hand.settle();
  CHECK(taken == std::vector<std::vector<int>>{{1, 2, 3}});
  mailbox->deliver({4});
  mailbox->close();
  hand.settle();
  CHECK(taken == std::vector<std::vector<int>>{{1, 2, 3}, {4}});
  CHECK(hand.loop.alive() == 0);
}

TEST_CASE("a mailbox whose owner is gone takes deliveries and forgets them") {
  HandLoop hand;
  auto mailbox = std::make_shared<Mailbox<int>>();
  {
    std::vector<std::vector<int>> taken;
    Strand session(hand.loop);
    spawn_on(session, take_all(mailbox, taken));
    hand.settle();
    mailbox->close();
    hand.settle();
    CHECK(hand.loop.alive() == 0);
  }
  mailbox->deliver({1, 2, 3});
  CHECK(hand.get(mailbox->take()) == std::vector<int>{});
}

TEST_CASE("deliveries from four threads arrive all, each thread's in order") {
  EventLoop loop(1);
  auto mailbox = std::make_shared<Mailbox<int>>();
  std::vector<std::vector<int>> taken;
  Strand session(loop);
  spawn_on(session, take_all(mailbox, taken));
  loop.release();
  std::thread server([&] { loop.run(); });
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t)
    senders.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) mailbox->deliver({t * 1000 + i});
    });
  for (auto& sender : senders) sender.join();
  mailbox->close();
  server.join();
  std::vector<int> next(4, 0);
  for (const auto& items : taken)
    for (int item : items) CHECK(item % 1000 == next[static_cast<std::size_t>(item / 1000)]++);
  CHECK(next == std::vector<int>(4, 1000));
}
