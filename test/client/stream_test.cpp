#include "client/stream.hpp"

#include <doctest/doctest.h>

#include "stream_harness.hpp"

namespace nissa::client::test {
namespace {

using wire::AckStatus;

constexpr std::int64_t day_ms = 86'400'000;

TEST_CASE("batches are numbered from 1 and each header tells what is settled") {
  Harness agent;
  for (std::uint64_t tag = 1; tag <= 3; ++tag) CHECK(agent.enqueue(tag) == Taken::accepted);
  agent.run();
  REQUIRE(agent.sent.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(agent.sent[i].sequence == i + 1);
    CHECK(agent.sent[i].settled_below == 1);
    CHECK(agent.sent[i].epoch != 0);
    CHECK(agent.sent[i].epoch_seen == agent.server);
  }
  agent.counted(agent.sent[1]);
  agent.counted(agent.sent[0]);
  agent.enqueue(4);
  agent.run();
  CHECK(agent.sent.back().sequence == 4);
  CHECK(agent.sent.back().settled_below == 3);
  CHECK(agent.settled.size() == 2);
}

TEST_CASE("no connection is opened while there is nothing to send") {
  Harness agent;
  agent.run();
  CHECK(agent.connects == 0);
  CHECK_FALSE(agent.last.until.has_value());
}

TEST_CASE("a lost connection resends under the same keys, the lowest first") {
  Harness agent;
  for (std::uint64_t tag = 1; tag <= 3; ++tag) agent.enqueue(tag);
  agent.run();
  agent.counted(agent.sent[1]);
  agent.lose_connection();
  agent.enqueue(4);
  agent.run();
  REQUIRE(agent.sent.size() == 6);
  CHECK(agent.sent[3].key() == agent.sent[0].key());
  CHECK(agent.sent[4].key() == agent.sent[2].key());
  CHECK(agent.sent[5].sequence == 4);
  CHECK(agent.stream.counts().resendings == 2);
  agent.answer(agent.sent[3], AckStatus::duplicate);
  CHECK(agent.settled.back().fate == Fate::duplicate);
}

TEST_CASE("at most 256 numbers are out above what is settled, however many answers came above a gap") {
  Harness agent;
  for (std::uint64_t tag = 1; tag <= 600; ++tag) agent.enqueue(tag);
  agent.run();
  REQUIRE(agent.sent.size() == 256);
  for (std::size_t i = 1; i < 256; ++i) agent.counted(agent.sent[i]);
  agent.run();
  CHECK(agent.sent.size() == 256);
  agent.counted(agent.sent[0]);
  agent.run();
  CHECK(agent.sent.size() == 512);
}

TEST_CASE("the byte window of HelloAck bounds what is unanswered, but one batch alone always goes") {
  Harness agent;
  agent.hello.window_bytes = 1'000;
  agent.enqueue(1, 5'000);
  agent.enqueue(2, 300);
  agent.enqueue(3, 300);
  agent.run();
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{1});
  agent.counted(agent.sent[0]);
  agent.run();
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{1, 2});  // 300 and the header's 256 + 11, twice: 1 134
}

TEST_CASE("what is held is bounded: beyond, the caller is told to wait, and one batch alone is always taken") {
  StreamOptions options;
  options.max_held_bytes = 250;
  Harness agent(options);
  CHECK(agent.enqueue(1, 400) == Taken::accepted);
  CHECK(agent.enqueue(2, 10) == Taken::must_wait);
  agent.run();
  agent.counted(agent.sent[0]);
  CHECK(agent.enqueue(3, 200) == Taken::accepted);
  CHECK(agent.enqueue(4, 51) == Taken::must_wait);
  CHECK(agent.enqueue(5, 50) == Taken::accepted);
}

TEST_CASE("a batch that no server takes is refused at once; one beyond this server's limits, before it bears a key") {
  Harness agent;
  CHECK(agent.enqueue(1, 1U << 20) == Taken::too_large);
  CHECK(agent.stream.enqueue(Body{{}, 10, 1'001, 1}) == Taken::too_large);
  CHECK(agent.stream.enqueue(Body{{}, 0, 0, 1}) == Taken::too_large);
  agent.hello.max_frame_bytes = 2'000;
  agent.hello.max_events = 5;
  agent.enqueue(2, 2'000);
  agent.stream.enqueue(Body{{}, 100, 6, 3});
  agent.enqueue(4);
  agent.run();
  CHECK(agent.sent_tags == std::vector<std::uint64_t>{4});
  REQUIRE(agent.settled.size() == 2);
  CHECK(agent.settled[0].reason == Reason::frame_too_large);
  CHECK(agent.settled[1].reason == Reason::too_many_events);
  CHECK(agent.sent[0].dropped_events == 7);
}

TEST_CASE("retry_after closes the class, for what waits and for what is new, and then the same key is sent again") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.answer(agent.sent[0], AckStatus::refused, Reason::overloaded, 5'000);
  agent.enqueue(2);
  agent.run();
  CHECK(agent.sent.size() == 1);
  CHECK(agent.last.until == agent.now + 5'000 * ns_per_ms);
  agent.pass(4'999);
  agent.run();
  CHECK(agent.sent.size() == 1);
  agent.pass(1);
  agent.run();
  REQUIRE(agent.sent.size() == 3);
  CHECK(agent.sent[1].key() == agent.sent[0].key());
}

TEST_CASE("a closed class does not even connect") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.answer(agent.sent[0], AckStatus::refused, Reason::shutting_down, 60'000);
  agent.lose_connection();
  agent.run();
  CHECK(agent.connects == 1);
  agent.pass(29'000);
  agent.run();
  CHECK(agent.connects == 2);
}

TEST_CASE("unknown_epoch on the only sending: the batch goes out again in a new epoch, and nobody is troubled") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.answer(agent.sent[0], AckStatus::refused, Reason::unknown_epoch);
  agent.pass(1'000);
  agent.run();
  REQUIRE(agent.sent.size() == 2);
  CHECK(agent.sent[1].epoch != agent.sent[0].epoch);
  CHECK(agent.sent[1].sequence == 1);
  CHECK(agent.sent_tags[1] == 1);
  CHECK(agent.settled.empty());
  CHECK(agent.goodbyes.empty());
}

TEST_CASE("unknown_epoch in doubt is uncertain, is told, and is never sent again") {
  for (const int doubt : {0, 1, 2}) {
    CAPTURE(doubt);
    Harness agent;
    agent.enqueue(9);
    agent.run();
    if (doubt == 0) agent.lose_connection();
    if (doubt == 1) agent.answer(agent.sent[0], AckStatus::refused, Reason::journal, 100);
    if (doubt == 2) agent.answer(agent.sent[0], AckStatus::refused, Reason::journal_slow, 100);
    agent.pass(100);
    agent.run();
    REQUIRE(agent.sent.size() == 2);
    agent.answer(agent.sent[1], AckStatus::refused, Reason::unknown_epoch);
    REQUIRE(agent.settled.size() == 1);
    CHECK(agent.settled[0].fate == Fate::uncertain);
    CHECK(agent.settled[0].tag == 9);
    agent.pass(60'000);
    agent.run();
    CHECK(agent.sent.size() == 2);
    CHECK(agent.stream.idle());
  }
}

TEST_CASE("CONFLICT proves that nothing was counted, even in doubt: a new key in a new epoch, the others keep theirs") {
  Harness agent;
  agent.enqueue(1);
  agent.enqueue(2);
  agent.run();
  agent.lose_connection();
  agent.run();
  REQUIRE(agent.sent.size() == 4);
  agent.answer(agent.sent[2], AckStatus::conflict);
  agent.pass(1'000);
  agent.run();
  REQUIRE(agent.sent.size() == 5);
  CHECK(agent.sent_tags[4] == 1);
  CHECK(agent.sent[4].epoch != agent.sent[0].epoch);
  agent.lose_connection();
  agent.run();
  REQUIRE(agent.sent.size() == 7);
  CHECK(agent.sent[5].key() == agent.sent[1].key());
  CHECK(agent.sent[6].key() == agent.sent[4].key());
}

TEST_CASE("DUPLICATE(below_low) for a batch still held means a clone: uncertain, a new epoch, no Goodbye for the old") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.answer(agent.sent[0], AckStatus::duplicate, Reason::below_low);
  REQUIRE(agent.settled.size() == 1);
  CHECK(agent.settled[0].fate == Fate::uncertain);
  agent.enqueue(2);
  agent.run();
  CHECK(agent.sent[1].epoch != agent.sent[0].epoch);
  CHECK(agent.goodbyes.empty());
  CHECK(agent.stream.counts().clones_seen == 1);
}

TEST_CASE("HelloAck's 'epoch unknown' moves only what was not sent yet to a new epoch") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.lose_connection();
  agent.enqueue(2);
  agent.run(true, false);
  REQUIRE(agent.sent.size() == 3);
  CHECK(agent.sent[1].key() == agent.sent[0].key());
  CHECK(agent.sent[2].epoch != agent.sent[0].epoch);
}

TEST_CASE("an epoch older than a day takes no new batch, unless a COUNTED renewed it; a DUPLICATE does not") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.pass(day_ms - 1);
  agent.counted(agent.sent[0]);
  agent.pass(day_ms - 1);
  agent.stream.told(agent.server);
  agent.enqueue(2);
  agent.run();
  CHECK(agent.sent[1].epoch == agent.sent[0].epoch);
  CHECK(agent.sent[1].epoch_seen == agent.sent[0].epoch_seen);
  agent.answer(agent.sent[1], AckStatus::duplicate);
  agent.pass(1);
  agent.stream.told(agent.server);
  agent.enqueue(3);
  agent.run();
  REQUIRE(agent.sent.size() == 3);
  CHECK(agent.sent[2].epoch != agent.sent[0].epoch);
  CHECK(agent.sent[2].sequence == 1);
}

TEST_CASE("an epoch of another state takes no new batch") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.counted(agent.sent[0]);
  agent.lose_connection();
  agent.server = {78, 5};
  agent.enqueue(2);
  agent.run(true, true);
  CHECK(agent.sent[1].epoch != agent.sent[0].epoch);
  CHECK(agent.sent[1].epoch_seen == agent.server);
  CHECK(agent.goodbyes.empty());
}

TEST_CASE("Goodbye is said for a rotated epoch once all its batches are settled, and not before") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.pass(day_ms + 1);
  agent.stream.told(agent.server);
  agent.lose_connection();
  agent.enqueue(2);
  agent.run();
  REQUIRE(agent.sent.size() == 3);
  CHECK(agent.sent[2].epoch != agent.sent[0].epoch);
  CHECK(agent.goodbyes.empty());
  agent.counted(agent.sent[1]);
  agent.run();
  REQUIRE(agent.goodbyes.size() == 1);
  CHECK(agent.goodbyes[0].epoch == agent.sent[0].epoch);
  CHECK(agent.goodbyes[0].epoch_seen == agent.sent[0].epoch_seen);
}

TEST_CASE("finish says Goodbye once all is settled") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.stream.finish();
  agent.run();
  CHECK_FALSE(agent.stream.finished());
  CHECK(agent.goodbyes.empty());
  agent.counted(agent.sent[0]);
  CHECK_FALSE(agent.stream.finished());
  agent.run();
  CHECK(agent.goodbyes.size() == 1);
  CHECK(agent.stream.finished());
}

TEST_CASE("final refusals drop the batch, tell why, and are told to the server as dropped events") {
  for (const Reason reason : {Reason::class_not_allowed, Reason::not_supported}) {
    Harness agent;
    agent.enqueue(1);
    agent.run();
    agent.answer(agent.sent[0], AckStatus::refused, reason);
    REQUIRE(agent.settled.size() == 1);
    CHECK(agent.settled[0].fate == Fate::refused);
    CHECK(agent.settled[0].reason == reason);
    agent.enqueue(2);
    agent.run();
    CHECK(agent.sent[1].dropped_events == 1);
    CHECK(agent.sent[1].settled_below == 2);
    agent.answer(agent.sent[1], AckStatus::malformed, Reason::bad_utf8);
    CHECK(agent.settled[1].fate == Fate::refused);
  }
}

TEST_CASE("a final refusal in doubt is uncertain: an earlier sending may have been counted") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.lose_connection();
  agent.run();
  agent.answer(agent.sent[1], AckStatus::refused, Reason::class_not_allowed);
  REQUIRE(agent.settled.size() == 1);
  CHECK(agent.settled[0].fate == Fate::uncertain);
  Harness other;
  other.enqueue(1);
  other.run();
  other.answer(other.sent[0], AckStatus::refused, Reason::journal, 100);
  other.pass(100);
  other.run();
  other.answer(other.sent[1], AckStatus::malformed, Reason::bad_utf8);
  REQUIRE(other.settled.size() == 1);
  CHECK(other.settled[0].fate == Fate::uncertain);
}

TEST_CASE("a refusal closes the class whichever batch it answers, one that is settled meanwhile too") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.counted(agent.sent[0]);
  agent.answer(agent.sent[0], AckStatus::refused, Reason::overloaded, 5'000);
  agent.enqueue(2);
  agent.run();
  CHECK(agent.sent.size() == 1);
  agent.pass(5'000);
  agent.run();
  CHECK(agent.sent.size() == 2);
}

TEST_CASE("a batch counted ends the growing of the delays; a hello alone does not") {
  Harness agent;
  agent.stream = Stream({}, [] { return ~0ULL; });  // the longest delay of each range
  const auto delay_after_loss = [&agent] {
    agent.stream.connection_lost(agent.now);
    agent.run();
    return *agent.last.until - agent.now;
  };
  agent.enqueue(1);
  for (const std::int64_t ms : {100, 200, 400, 800}) {
    agent.run();
    CHECK(delay_after_loss() == ms * ns_per_ms);
    agent.pass(ms);
  }
  agent.run();
  agent.enqueue(2);
  agent.run();
  agent.counted(agent.sent.back());
  CHECK(delay_after_loss() == 100 * ns_per_ms);
}

TEST_CASE("after GoAway nothing is sent, answers on their way are read, then the connection is left") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.stream.go_away(agent.now);
  agent.enqueue(2);
  agent.run();
  CHECK(agent.sent.size() == 1);
  CHECK(agent.disconnects == 0);
  agent.counted(agent.sent[0]);
  agent.run();
  CHECK(agent.disconnects == 1);
  agent.pass(31'000);
  agent.run();
  CHECK(agent.sent.size() == 2);
}

TEST_CASE("after GoAway answers are not waited for longer than 15 s") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.stream.go_away(agent.now);
  agent.run();
  CHECK(agent.last.until == agent.now + 15 * ns_per_s);
  agent.pass(15'000);
  agent.run();
  CHECK(agent.disconnects == 1);
}

TEST_CASE("a sending without an answer for the whole timeout costs the connection, not the batch") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.pass(30'000);
  agent.enqueue(2);
  agent.run();
  agent.counted(agent.sent[1]);
  agent.run();
  CHECK(agent.last.until == agent.now + 30 * ns_per_s);
  agent.pass(30'000);
  agent.run();
  CHECK(agent.disconnects == 1);
  agent.pass(31'000);
  agent.run();
  CHECK(agent.sent.back().key() == agent.sent[0].key());
}

TEST_CASE("connecting is tried again with growing delays while nobody answers") {
  Harness agent;
  agent.enqueue(1);
  BootNs until = 0;
  for (int i = 0; i < 40; ++i) {
    agent.run(false);
    REQUIRE(agent.last.until.has_value());
    until = *agent.last.until;
    CHECK(until - agent.now <= 30 * ns_per_s);
    agent.now = until;
  }
  CHECK(agent.connects >= 40);
  agent.run(true);
  CHECK(agent.sent.size() == 1);
}

TEST_CASE("an answer that names nothing held is a stray, whatever it says") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.counted(agent.sent[0]);
  for (const auto status : {AckStatus::counted, AckStatus::duplicate, AckStatus::malformed, AckStatus::conflict})
    agent.answer(agent.sent[0], status, Reason::below_low);
  wire::BatchHeader other = agent.sent[0];
  other.epoch ^= 1;
  agent.counted(other);
  other = agent.sent[0];
  other.priority = Priority::critical;
  agent.counted(other);
  agent.stream.acked(wire::Ack{}, agent.now);
  CHECK(agent.stream.counts().stray_acks == 7);
  CHECK(agent.settled.size() == 1);
}

TEST_CASE("giving up abandons what was never sent and tells the rest as uncertain") {
  Harness agent;
  agent.hello.window_batches = 1;
  agent.enqueue(1);
  agent.enqueue(2);
  agent.run();
  agent.stream.give_up();
  agent.run();
  REQUIRE(agent.settled.size() == 2);
  CHECK(agent.settled[0].tag == 2);
  CHECK(agent.settled[0].fate == Fate::abandoned);
  CHECK(agent.settled[1].tag == 1);
  CHECK(agent.settled[1].fate == Fate::uncertain);
  CHECK(agent.stream.idle());
  CHECK(agent.stream.held_bytes() == 0);
}

}  // namespace
}  // namespace nissa::client::test
