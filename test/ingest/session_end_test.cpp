// How a connection ends: overdue, or because the server stops. All under the hand clock.
#include <doctest/doctest.h>

#include "door_world.hpp"

namespace nissa::ingest::test {
namespace {

using wire::AckStatus;

constexpr std::int64_t s = ns_per_s;

TEST_CASE("who says no Hello within hello_timeout is sent away, and not a moment sooner") {
  World world;
  const auto agent = world.connect({.greets = false});
  world.pass_ms(9'999);
  CHECK_FALSE(agent->ended);
  world.pass_ms(1);
  CHECK(agent->ended);
  REQUIRE(agent->go_aways.size() == 1);
  CHECK(agent->go_aways[0].reason == Reason::hello_expected);
  CHECK(world.closed(Reason::hello_expected) == 1);
  CHECK(agent->served);
}

TEST_CASE("other frames do not lengthen the time for a Hello") {
  World world;
  const auto agent = world.connect({.greets = false});
  for (int second = 0; second < 9; ++second) {
    world.pass_ms(1'000);
    world.send(agent, frame_of(wire::Heartbeat{1, {}}));
  }
  CHECK_FALSE(agent->ended);
  world.pass_ms(1'000);
  CHECK(agent->ended);
}

TEST_CASE("a frame that does not come to its end within frame_timeout closes the connection: slow_frame") {
  World world;
  const auto agent = world.connect();
  Bytes half = world.batch(1, 50);
  half.resize(half.size() - 1);
  world.send(agent, half);
  world.pass_ms(9'999);
  CHECK_FALSE(agent->ended);
  world.pass_ms(1);
  CHECK(agent->ended);
  REQUIRE(agent->go_aways.size() == 1);
  CHECK(agent->go_aways[0].reason == Reason::slow_frame);
  CHECK(world.closed(Reason::slow_frame) == 1);
  CHECK(world.received() == 0);
}

TEST_CASE("a frame that comes byte by byte is as slow as one that stands still") {
  World world;
  const auto agent = world.connect();
  const Bytes frame = world.batch(1, 50);
  for (std::size_t i = 0; i < 19; ++i) {
    world.send(agent, ByteView(frame).subspan(i, 1));
    world.pass_ms(500);
  }
  CHECK_FALSE(agent->ended);
  world.pass_ms(500);
  CHECK(agent->ended);
}

TEST_CASE("each frame has a time of its own") {
  World world;
  const auto agent = world.connect();
  for (Sequence sequence = 1; sequence <= 5; ++sequence) {
    const Bytes frame = world.batch(sequence, 10);
    world.send(agent, ByteView(frame).first(frame.size() - 3));
    world.pass_ms(8'000);
    world.send(agent, ByteView(frame).last(3));
  }
  world.pass_ms(10);
  CHECK_FALSE(agent->ended);
  CHECK(agent->acks.size() == 5);
}

TEST_CASE("a frame that is skipped is slow, too, if it does not come") {
  World world;
  const auto agent = world.connect();
  Bytes huge = world.batch(1, 1);
  huge.clear();
  ByteWriter(huge).varint(500u << 20);
  huge.push_back(wire::tag_of(1, wire::WireType::bytes));
  ByteWriter(huge).varint((500u << 20) - 6);
  world.send(agent, huge);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].reason == Reason::frame_too_large);
  world.pass_ms(11'000);
  CHECK(agent->ended);
  CHECK(world.closed(Reason::slow_frame) == 1);
}

TEST_CASE("who says nothing for idle_timeout is sent away; a heartbeat keeps the connection") {
  World world;
  const auto quiet = world.connect();
  const auto alive = world.connect();
  world.pass_ms(59'999);
  world.send(alive, frame_of(wire::Heartbeat{1, {}}));
  CHECK_FALSE(quiet->ended);
  world.pass_ms(1);
  CHECK(quiet->ended);
  REQUIRE(quiet->go_aways.size() == 1);
  CHECK(quiet->go_aways[0].reason == Reason::idle);
  world.pass_ms(59'000);
  CHECK_FALSE(alive->ended);
  world.pass_ms(1'000);
  CHECK(alive->ended);
  CHECK(world.closed(Reason::idle) == 2);
}

TEST_CASE("who waits for our answer is not idle") {
  World world{{.ledger = {.commit = {.slow_after_ns = 3'600 * s}}, .journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1));
  world.pass_ms(300'000);
  CHECK(agent->go_aways.empty());
  CHECK_FALSE(agent->ended);
  world.finish_one();
  CHECK(agent->acks.size() == 1);
  world.pass_ms(120'000);
  CHECK(agent->ended);
}

TEST_CASE("who does not read its acks is cut when a write has made no progress for idle_timeout") {
  World world;
  Visit visit;
  visit.link.most_in_flight = 4'096;
  visit.reads = false;
  const auto agent = world.connect(visit);
  Bytes all;
  for (Sequence sequence = 1; sequence <= 2'000; ++sequence) {
    wire::BatchHeader header = world.header(sequence);
    header.settled_below = sequence > 100 ? sequence - 100 : 1;
    append(all, batch_frame(header, body_of(1)));
  }
  world.send(agent, all);
  world.pass_ms(1'000);
  const std::uint64_t received = world.received();
  CHECK(received < 1'000);  // it is not read while its answers pile up
  world.pass_ms(58'000);
  CHECK_FALSE(agent->served);
  CHECK(world.received() == received);
  world.pass_ms(3'000);
  CHECK(agent->served);
  CHECK(world.closed(Reason::idle) == 1);
  CHECK(world.bytes_in_use() == 0);
}

TEST_CASE("what is answered without a slot does not pile up either, where nobody reads") {
  World world;
  Visit visit;
  visit.link.most_in_flight = 4'096;
  visit.reads = false;
  const auto agent = world.connect(visit);
  Bytes all;
  for (int i = 0; i < 20'000; ++i) append(all, unknown_frame());
  world.send(agent, all);
  world.pass_ms(1'000);
  // One write under way and one window behind it.
  CHECK(world.books.unreadable.value() <= 3 * world.options.ingest.window_batches);
  agent->read_on();
  world.pass_ms(1'000);
  CHECK(world.books.unreadable.value() == 20'000);
  CHECK(agent->acks.size() == 20'000);
}

TEST_CASE("a stop says GoAway, answers what is in hand, then ends") {
  World world{{.journal_by_hand = true}};
  const auto busy = world.connect();
  const auto idle = world.connect();
  const auto half = world.connect();
  world.pass_ms(5);
  world.send(busy, world.batch(1, 3));
  Bytes begun = world.batch(2, 50);
  begun.resize(begun.size() - 1);
  world.send(half, begun);
  world.begin_stop(10 * s);
  for (const auto& agent : {busy, idle, half}) {
    REQUIRE(agent->go_aways.size() == 1);
    CHECK(agent->go_aways[0].reason == Reason::shutting_down);
  }
  CHECK(idle->ended);
  CHECK(half->ended);
  CHECK_FALSE(busy->ended);
  CHECK_FALSE(world.stopped());
  world.send(busy, world.batch(3));  // not read any more
  world.finish_one();
  REQUIRE(busy->acks.size() == 1);
  CHECK(busy->acks[0].status == AckStatus::counted);
  CHECK(busy->ended);
  CHECK(world.stopped());
  CHECK(world.received() == 1);
}

TEST_CASE("who comes while the server stops is told to go away") {
  World world{{.journal_by_hand = true}};
  const auto busy = world.connect();
  world.pass_ms(5);
  world.send(busy, world.batch(1));
  world.begin_stop(10 * s);
  const auto late = world.connect();
  REQUIRE(late->go_aways.size() == 1);
  CHECK(late->go_aways[0].reason == Reason::shutting_down);
  CHECK(late->ended);
  CHECK(late->acks.empty());
  const auto silent = world.connect({.greets = false});
  CHECK(silent->go_aways.size() == 1);
  CHECK(silent->ended);
}

TEST_CASE("a stop whose journal hangs ends after its grace: what is pending is told journal_slow, and stays in doubt") {
  World world{{.ledger = {.commit = {.slow_after_ns = 3'600 * s}}, .journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1));
  world.begin_stop(10 * s);
  world.pass_ms(9'990);
  CHECK(agent->acks.empty());
  world.pass_ms(1'100);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::refused);
  CHECK(agent->acks[0].reason == Reason::journal_slow);
  CHECK(agent->ended);
  CHECK(world.stopped());
}

TEST_CASE("a stop does not wait for an agent that reads nothing") {
  World world;
  Visit visit;
  visit.link.most_in_flight = 512;
  visit.reads = false;
  const auto agent = world.connect(visit);
  for (Sequence sequence = 1; sequence <= 50; ++sequence) agent->send(world.batch(sequence));
  world.pass_ms(100);
  world.begin_stop(10 * s);
  world.pass_ms(9'900);
  CHECK_FALSE(world.stopped());
  world.pass_ms(1'200);
  CHECK(world.stopped());
  CHECK(agent->served);
}

TEST_CASE("a stop does not wait for those who are held at the gate") {
  WorldOptions options;
  options.ingest.max_events = 10'000;
  options.overload.ingest_bytes = std::size_t{1} << 20;
  options.overload.critical_bytes = 300'000;
  options.overload.sender_percent = 100;
  World world(options);
  for (int i = 0; i < 10; ++i) {
    Bytes begun = world.batch_of(1, body_of_size(400'000), Priority::critical);
    begun.resize(2'000);
    world.send(world.connect(), begun);
  }
  std::uint64_t held = 0;
  for (const Counter& one : world.overload->counters().held_now) held += one.value();
  CHECK(held > 0);
  world.begin_stop(10 * s);
  CHECK(world.stopped());
  for (const auto& agent : world.agents) {
    CHECK(agent->ended);
    REQUIRE(agent->go_aways.size() == 1);
    CHECK(agent->go_aways[0].reason == Reason::shutting_down);
  }
}

}  // namespace
}  // namespace nissa::ingest::test
