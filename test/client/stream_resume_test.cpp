// Batches that an earlier process had keyed and stored: sent again under their keys, and in doubt from the start.
#include <algorithm>

#include "stream_harness.hpp"
#include "support/model_server.hpp"
#include "support/seed.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::ModelServer;
using wire::AckStatus;

const EpochSeen seen_before{77, 500'000};

Stored stored(Sequence sequence, std::uint64_t tag, Epoch epoch = 9) {
  return {epoch, seen_before, sequence, Body{{}, 100, 1, tag}};
}

// One stored batch was sent again.
struct Resumed : Harness {
  Resumed() {
    REQUIRE(stream.resume(stored(3, 103)));
    run();
  }
};

TEST_CASE("what is resumed goes out under its own key, before new batches, which get an epoch of their own") {
  Harness agent;
  REQUIRE(agent.stream.resume(stored(3, 103)));
  REQUIRE(agent.stream.resume(stored(5, 105)));
  CHECK(agent.enqueue(1) == Taken::accepted);
  CHECK(agent.stream.held_batches() == 3);
  agent.run();
  REQUIRE(agent.sent.size() == 3);
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{103, 105, 1});
  for (const std::size_t i : {0U, 1U}) {
    CHECK(agent.sent[i].epoch == 9);
    CHECK(agent.sent[i].epoch_seen == seen_before);
    CHECK(agent.sent[i].settled_below == 3);
  }
  CHECK(agent.sent[1].sequence == 5);
  CHECK(agent.sent[2].epoch != 9);
  CHECK(agent.sent[2].sequence == 1);
}

TEST_CASE("once all that was resumed is settled, Goodbye is said for its epoch") {
  Resumed agent;
  agent.answer(agent.sent[0], AckStatus::duplicate);
  agent.run();
  REQUIRE(agent.goodbyes.size() == 1);
  CHECK(agent.goodbyes[0].epoch == 9);
  CHECK(agent.settled[0].fate == Fate::duplicate);
}

TEST_CASE(
    "below low a resumed batch is settled, for what was stored may be older than the last ack; no clone is seen") {
  Resumed agent;
  agent.answer(agent.sent[0], AckStatus::duplicate, Reason::below_low);
  REQUIRE(agent.settled.size() == 1);
  CHECK(agent.settled[0].fate == Fate::duplicate);
  CHECK(agent.stream.counts().clones_seen == 0);
  CHECK(agent.stream.idle());
}

TEST_CASE("a conflict is final for a resumed batch: its body may have been made differently then") {
  Resumed agent;
  agent.answer(agent.sent[0], AckStatus::conflict);
  agent.run();
  REQUIRE(agent.settled.size() == 1);
  CHECK(agent.settled[0].fate == Fate::refused);
  CHECK(agent.settled[0].conflict);
  CHECK(agent.sent.size() == 1);
}

TEST_CASE("an epoch that the server does not know makes what was resumed uncertain, never keyed anew") {
  Harness agent;
  REQUIRE(agent.stream.resume(stored(3, 103)));
  agent.run(true, false);
  agent.answer(agent.sent[0], AckStatus::refused, Reason::unknown_epoch);
  agent.run();
  REQUIRE(agent.settled.size() == 1);
  CHECK(agent.settled[0].fate == Fate::uncertain);
  CHECK(agent.settled[0].reason == Reason::unknown_epoch);
  CHECK(agent.sent.size() == 1);
  CHECK(agent.goodbyes.empty());
}

TEST_CASE("what is spread wider than the server's memory waits until the lowest is settled") {
  Harness agent;
  REQUIRE(agent.stream.resume(stored(1, 101)));
  REQUIRE(agent.stream.resume(stored(256, 356)));
  REQUIRE(agent.stream.resume(stored(257, 357)));
  agent.run();
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{101, 356});
  agent.counted(agent.sent[0]);
  agent.run();
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{101, 356, 357});
}

TEST_CASE("numbers that do not ascend, spread too wide, or of two beginnings are not resumed") {
  Harness agent;
  CHECK_FALSE(agent.stream.resume(stored(0, 1)));
  CHECK_FALSE(agent.stream.resume(stored(3, 1, 0)));
  REQUIRE(agent.stream.resume(stored(3, 103)));
  CHECK_FALSE(agent.stream.resume(stored(3, 104)));
  CHECK_FALSE(agent.stream.resume(stored(2, 104)));
  CHECK_FALSE(agent.stream.resume(stored(3 + 4'096, 104)));
  Stored other = stored(4, 104);
  other.epoch_seen.running_ms += 1;
  CHECK_FALSE(agent.stream.resume(other));
  CHECK(agent.stream.held_batches() == 1);
}

TEST_CASE("what HelloAck makes too large comes back whole, and nothing does while all fits") {
  Harness agent;
  CHECK(agent.stream.enqueue(Body{{}, 100, 10, 1}) == Taken::accepted);
  CHECK(agent.stream.enqueue(Body{{}, 100, 50, 2}) == Taken::accepted);
  CHECK(agent.stream.take_back_too_large().empty());
  CHECK(agent.stream.next(agent.now).kind == Action::Kind::connect);
  wire::HelloAck hello = agent.hello;
  hello.max_events = 20;
  agent.stream.connected(hello);
  const auto back = agent.stream.take_back_too_large();
  REQUIRE(back.size() == 2);
  CHECK(back[1].tag == 2);
  CHECK(agent.stream.idle());
  CHECK(agent.stream.held_bytes() == 0);
  CHECK(agent.stream.max_events() == 20);
}

// An agent that stores each batch before its first sending and is killed at any time; what it stored is older than what
// it had heard. Whatever happens within the promise, each batch is counted once, or the next agent is told.
TEST_CASE("killed at any time and resumed, over and over, each stored batch is counted exactly once") {
  auto random = nissa::test::random_for(61);
  const auto chance = [&random](unsigned percent) { return random() % 100 < percent; };
  for (int round = 0; round < 100; ++round) {
    ModelServer server;
    std::map<BatchKey, Stored> kept;  // as the file would hold it
    std::map<std::uint64_t, int> reported;
    std::uint64_t tags = 0;
    BootNs now = ns_per_s;
    for (int life = 0; life < 8; ++life) {
      const bool last = life == 7;
      Stream stream({}, [&random] { return random(); });
      for (const auto& [key, one] : kept) REQUIRE(stream.resume(one));
      for (int step = 0; step < 4'000 && (!last || step == 0 || !stream.idle()); ++step) {
        now += 50 * ns_per_ms;
        server.now.running_ms += 50;
        if (!last && chance(30)) CHECK(stream.enqueue(Body{{}, 100, 1, ++tags}) == Taken::accepted);
        for (Action action = stream.next(now); action.kind != Action::Kind::wait; action = stream.next(now)) {
          if (action.kind == Action::Kind::connect) {
            wire::HelloAck ack;
            ack.now = server.now;
            if (action.epoch) ack.epoch_known = server.knows(*action.epoch);
            stream.connected(ack);
          } else if (action.kind == Action::Kind::send_batch) {
            const wire::BatchHeader& header = action.header;
            if (action.first) kept[header.key()] = {header.epoch, header.epoch_seen, header.sequence, *action.body};
            CHECK(kept.contains(header.key()));
            server.sent(header, action.body->tag);
            if (!chance(20)) server.receive(life, header, action.body->tag);
          } else if (action.kind == Action::Kind::send_goodbye) {
            std::erase_if(kept, [&](const auto& one) { return one.first.epoch == action.goodbye.epoch; });
            server.goodbye(action.goodbye);
          } else {
            stream.connection_lost(now);
          }
        }
        if (chance(50)) server.commit();
        for (const auto& answer : server.answers)
          if (answer.connection == life && !chance(20)) stream.acked(answer.ack, now);
        server.answers.clear();
        if (chance(3)) stream.connection_lost(now);
        std::vector<Settlement> settled;
        stream.take_settlements(settled);
        for (const Settlement& one : settled) {
          if (one.fate != Fate::counted && one.fate != Fate::duplicate) ++reported[one.tag];
          // What is settled is struck out now, or later, or never.
          if (chance(30)) std::erase_if(kept, [&](const auto& k) { return k.second.body.tag == one.tag; });
        }
        if (!last && chance(1)) break;
      }
      if (!last) {
        // Never keyed, so never stored: the next one would read it again.
        for (std::uint64_t tag = 1; tag <= tags; ++tag)
          if (!server.counted.contains(tag) &&
              std::ranges::none_of(kept, [&](const auto& k) { return k.second.body.tag == tag; }))
            reported.emplace(tag, 0);
      } else {
        CHECK(stream.idle());
      }
    }
    for (const std::string& offence : server.offences) FAIL_CHECK(offence);
    for (std::uint64_t tag = 1; tag <= tags; ++tag) {
      const int times = server.counted.contains(tag) ? server.counted.at(tag) : 0;
      CAPTURE(tag);
      CHECK(times <= 1);
      CHECK((times == 1 || reported.contains(tag)));
    }
    for (const auto& [tag, times] : reported) CHECK_MESSAGE(times == 0, "nothing is uncertain within a week: ", tag);
  }
}

}  // namespace
}  // namespace nissa::client::test
