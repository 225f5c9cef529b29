// The gate in front of a connection's buffer: who is held, who is refused by name, what half-sent frames may take.
#include <doctest/doctest.h>

#include "async/coroutine.hpp"
#include "door_world.hpp"

namespace nissa::ingest::test {
namespace {

using wire::AckStatus;

constexpr std::size_t mib = std::size_t{1} << 20;

// A pool of 1 MiB, of which LOW may use half, and a reserve of 300 KB for CRITICAL.
WorldOptions small_pool() {
  WorldOptions options;
  options.ingest.max_events = 10'000;
  options.overload.ingest_bytes = mib;
  options.overload.critical_bytes = 300'000;
  options.overload.sender_percent = 100;
  return options;
}

PeerAddress peer(int number) { return {"10.0.0." + std::to_string(number), 1, false}; }

// The first bytes of a frame of `size` bytes.
Bytes begun(const World& world, Sequence sequence, std::size_t size, Priority priority, std::size_t sent = 2'000) {
  Bytes frame = world.batch_of(sequence, body_of_size(size), priority);
  frame.resize(sent);
  return frame;
}

TEST_CASE("a class that has no room holds its senders, then refuses by name with retry_after; higher classes go on") {
  World world(small_pool());
  const auto first = world.connect({.peer = peer(1)});
  const auto second = world.connect({.peer = peer(2)});
  world.send(first, begun(world, 1, 250'000, Priority::low));
  world.send(second, begun(world, 1, 250'000, Priority::low));
  CHECK(world.overload->counters().bytes_in_use[0].value() > 500'000);

  const auto held = world.connect({.link = {.seed = 1, .most_in_flight = 1'024}, .peer = peer(3)});
  world.send(held, world.batch_of(1, body_of_size(40'000), Priority::low));
  CHECK(held->writing());
  const auto high = world.connect({.peer = peer(4)});
  const auto critical = world.connect({.peer = peer(5)});
  world.epoch = 8;
  world.send(high, world.batch_of(1, body_of_size(40'000), Priority::high));
  world.send(critical, world.batch_of(1, body_of_size(40'000), Priority::critical));
  world.pass_ms(10);
  REQUIRE(high->acks.size() == 1);
  CHECK(high->acks[0].status == AckStatus::counted);
  REQUIRE(critical->acks.size() == 1);
  CHECK(critical->acks[0].status == AckStatus::counted);

  world.pass_ms(4'900);
  CHECK(held->acks.empty());
  world.pass_ms(100);
  REQUIRE(held->acks.size() == 1);
  CHECK(held->acks[0].key == BatchKey{7, Priority::low, 1});
  CHECK(held->acks[0].status == AckStatus::refused);
  CHECK(held->acks[0].reason == Reason::no_room);
  CHECK_FALSE(held->acks[0].final);
  CHECK(held->acks[0].retry_after_ms >= 100);
  CHECK_FALSE(held->ended);
  // What was refused is skipped without room of its class; what comes next is held again, then read in a small buffer.
  CHECK_FALSE(held->writing());
  world.send(held, frame_of(wire::Heartbeat{5, {}}));
  world.pass_ms(5'000);
  CHECK(held->heartbeat_acks.size() == 1);
  CHECK(world.sum(Priority::low).refused == 1);
}

TEST_CASE("room that comes back lets in who was held") {
  World world(small_pool());
  const auto first = world.connect({.peer = peer(1)});
  const auto second = world.connect({.peer = peer(2)});
  world.send(first, begun(world, 1, 250'000, Priority::low));
  world.send(second, begun(world, 1, 250'000, Priority::low));
  const auto held = world.connect({.peer = peer(3)});
  world.epoch = 8;
  world.send(held, world.batch_of(1, body_of_size(40'000), Priority::low));
  world.pass_ms(2'000);
  CHECK(held->acks.empty());
  first->link->cut();
  world.pass_ms(10);
  REQUIRE(held->acks.size() == 1);
  CHECK(held->acks[0].status == AckStatus::counted);
}

TEST_CASE("CRITICAL is held, however long, and never refused: a timeout of its own does not run") {
  World world(small_pool());
  const auto normal = world.connect({.peer = peer(1)});
  const auto high = world.connect({.peer = peer(2)});
  const auto critical = world.connect({.peer = peer(3)});
  world.send(normal, begun(world, 1, 800'000, Priority::normal));
  world.send(high, begun(world, 1, 150'000, Priority::high));
  world.send(critical, begun(world, 1, 290'000, Priority::critical));
  const auto held = world.connect({.peer = peer(4)});
  world.epoch = 8;
  world.send(held, world.batch_of(1, body_of_size(280'000), Priority::critical));
  world.pass_ms(9'900);
  CHECK(held->acks.empty());
  CHECK_FALSE(held->ended);
  world.pass_ms(1'000);  // those that stand half sent are cut, and their room comes back
  REQUIRE(held->acks.size() == 1);
  CHECK(held->acks[0].status == AckStatus::counted);
  CHECK(world.sum(Priority::critical).refused == 0);
}

TEST_CASE("being held is not slow: the frame's own time stands still meanwhile") {
  WorldOptions options = small_pool();
  options.overload.byte_wait_ns = 60 * ns_per_s;
  World world(options);
  const auto first = world.connect({.peer = peer(1)});
  const auto held = world.connect({.peer = peer(2)});
  // Grows the frame's room while it comes, so that it is slow by nobody's fault but ours.
  world.send(first, begun(world, 1, 500'000, Priority::low));
  world.pass_ms(5'000);
  world.epoch = 8;
  Bytes frame = world.batch_of(1, body_of_size(200'000), Priority::low);
  world.send(held, ByteView(frame).first(100'000));
  world.pass_ms(4'900);
  CHECK_FALSE(held->ended);
  world.pass_ms(200);  // the first is cut
  CHECK(first->ended);
  CHECK(first->go_aways.at(0).reason == Reason::slow_frame);
  world.pass_ms(9'700);  // its own ten seconds have begun when it got its room
  CHECK_FALSE(held->ended);
  world.send(held, ByteView(frame).subspan(100'000));
  world.pass_ms(10);
  REQUIRE(held->acks.size() == 1);
  CHECK(held->acks[0].status == AckStatus::counted);
}

TEST_CASE("a batch beyond what its class may ever hold is refused at once, by name") {
  WorldOptions options = small_pool();
  options.ingest.max_frame_bytes = 2 * mib;
  World world(options);
  const auto agent = world.connect();
  world.send(agent, begun(world, 1, 600'000, Priority::low));
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].reason == Reason::no_room);
  CHECK(agent->acks[0].key == BatchKey{7, Priority::low, 1});
  const Bytes frame = world.batch_of(1, body_of_size(600'000), Priority::low);
  world.send(agent, ByteView(frame).subspan(2'000));
  world.send(agent, world.batch(1, 1, Priority::low));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
}

TEST_CASE("frames half sent never take more than was granted, however many connections begin one") {
  WorldOptions options;
  options.ingest.max_events = 10'000;
  options.overload.ingest_bytes = 8 * mib;
  options.overload.critical_bytes = 2 * mib;
  World world(options);
  std::vector<std::shared_ptr<Agent>> agents;
  for (int i = 0; i < 200; ++i) {
    const Priority priority = all_priorities[static_cast<std::size_t>(i) % priority_count];
    agents.push_back(world.connect({.peer = peer(i % 50)}));
    world.send(agents.back(), begun(world, 1, 500'000, priority, 100'000));
    REQUIRE(world.bytes_in_use() <= 10 * mib);
  }
  for (int second = 0; second < 9; ++second) {
    world.pass_ms(1'000);
    CHECK(world.bytes_in_use() <= 10 * mib);
  }
}

TEST_CASE("who stands still in the middle of a small frame keeps room for that frame, not for a chunk") {
  World world;
  for (int i = 0; i < 20; ++i) {
    const auto agent = world.connect({.peer = peer(i)});
    world.send(agent, world.batch(1));  // its class is known from here on
    world.pass_ms(10);
    Bytes half = world.batch(2, 50);
    half.resize(300);
    world.send(agent, half);
  }
  CHECK(world.bytes_in_use() >= 20 * BufferPool::unit);
  world.pass_ms(2'500);
  CHECK(world.bytes_in_use() <= 20 * 1'024);
  // And goes on with it in its own time.
  const auto agent = world.agents[3];
  const Bytes whole = world.batch(2, 50);
  world.send(agent, ByteView(whole).subspan(300));
  world.pass_ms(10);
  CHECK(agent->acks.back().accepted == 50);
}

TEST_CASE("an idle connection holds no bytes") {
  World world;
  const auto agent = world.connect();
  CHECK(world.bytes_in_use() == 0);
  world.send(agent, world.batch(1));
  world.pass_ms(10);
  CHECK(agent->acks.size() == 1);
  CHECK(world.bytes_in_use() == 0);
}

TEST_CASE("no more than its share goes to one sender, over all its connections; another sender gets in") {
  WorldOptions options;
  options.ingest.max_events = 10'000;
  options.overload.ingest_bytes = 4 * mib;
  options.overload.sender_percent = 25;
  World world(options);
  for (int i = 0; i < 10; ++i) world.send(world.connect({.peer = peer(1)}), begun(world, 1, 400'000, Priority::normal));
  CHECK(world.bytes_in_use() <= mib + 64 * 1'024);  // and small buffers, in which headers are read
  const auto other = world.connect({.peer = peer(2)});
  world.epoch = 8;
  world.send(other, world.batch_of(1, body_of_size(400'000)));
  world.pass_ms(10);
  REQUIRE(other->acks.size() == 1);
  CHECK(other->acks[0].status == AckStatus::counted);
}

// The clock goes on while the loop is busy: each turn of it takes so long.
Task<void> burn(World& world, std::int64_t ns_a_turn, int turns) {
  for (int i = 0; i < turns; ++i) {
    world.hand.clock.advance(ns_a_turn);
    co_await yield_turn();
  }
}

TEST_CASE("a line that does not go down: LOW is refused by name with retry_after, CRITICAL never") {
  WorldOptions options;
  options.overload.slice_ns = 1;  // one batch a slice
  World world(options);
  std::vector<std::shared_ptr<Agent>> agents;
  for (int i = 0; i < 60; ++i) {
    agents.push_back(world.connect({.peer = peer(i)}));
  }
  const auto late = world.connect({.peer = peer(200)});
  const auto large = world.connect({.peer = peer(201)});
  for (int i = 0; i < 60; ++i) {
    world.epoch = 100 + static_cast<Epoch>(i);
    agents[static_cast<std::size_t>(i)]->send(world.batch(1, 1, i % 6 == 5 ? Priority::critical : Priority::low));
  }
  world.epoch = 99;
  world.hand.loop.spawn(burn(world, 20 * ns_per_ms, 50));
  world.hand.loop.spawn([](World& in, std::shared_ptr<Agent> agent) -> Task<void> {
    for (int i = 0; i < 40; ++i) co_await yield_turn();
    agent->send(in.batch(1, 1, Priority::low));
    agent->send(in.batch(1, 1, Priority::critical));
    in.agents.back()->send(ByteView(in.batch(9, 900, Priority::low)).first(400));
  }(world, late));
  world.hand.settle();
  world.pass_ms(20);
  REQUIRE(late->acks.size() == 2);
  const wire::Ack& low = late->acks[0].key->priority == Priority::low ? late->acks[0] : late->acks[1];
  const wire::Ack& critical = late->acks[0].key->priority == Priority::low ? late->acks[1] : late->acks[0];
  CHECK(low.status == AckStatus::refused);
  CHECK(low.reason == Reason::overloaded);
  CHECK(low.retry_after_ms >= 100);
  CHECK(critical.status == AckStatus::counted);
  CHECK(world.sum(Priority::critical).refused == 0);
  CHECK(world.sum(Priority::critical).counted == 11);
  // A large one is refused from its header, before its body was sent; the body is skipped.
  REQUIRE(large->acks.size() == 1);
  CHECK(large->acks[0].key == BatchKey{99, Priority::low, 9});
  CHECK(large->acks[0].reason == Reason::overloaded);
  world.send(large, ByteView(world.batch(9, 900, Priority::low)).subspan(400));
  world.send(large, frame_of(wire::Heartbeat{5, {}}));
  CHECK(large->heartbeat_acks.size() == 1);
  CHECK(large->acks.size() == 1);
  // The line is empty again: at once LOW is taken.
  world.send(late, world.batch(2, 1, Priority::low));
  world.pass_ms(10);
  CHECK(late->acks.back().status == AckStatus::counted);
}

}  // namespace
}  // namespace nissa::ingest::test
