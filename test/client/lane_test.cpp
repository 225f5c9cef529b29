#include "client/lane.hpp"

#include "stream_harness.hpp"

namespace nissa::client::test {
namespace {

// A lane before a stream that is driven by hand.
struct World {
  explicit World(LaneOptions options = {}) : lane(std::move(options)) {
    wire::append_identity(identity, "checkout", "GET /", {});
  }
  Lane::Put put() { return lane.put(head, identity, agent.now); }
  // What the connection does at each step.
  void step(bool reachable = true) {
    due = lane.fill(agent.stream, agent.now);
    agent.run(reachable);
    for (const Settlement& one : agent.settled) lane.settled(one, agent.now);
    agent.settled.clear();
  }

  Lane lane;
  Harness agent;
  Bytes identity;
  wire::EventHead head{.time_unix_ns = 5};
  std::optional<BootNs> due;
};

TEST_CASE("a batch goes when its first event has waited long enough, and the lane says when that will be") {
  World world;
  CHECK(world.put() == Lane::Put::kept_and_wake);
  CHECK(world.put() == Lane::Put::kept);
  world.step();
  CHECK(world.agent.sent.empty());
  CHECK(world.due == world.agent.now + 100 * ns_per_ms);
  world.agent.pass(100);
  world.step();
  REQUIRE(world.agent.sent.size() == 1);
  CHECK(world.agent.sent[0].event_count == 2);
}

TEST_CASE("while nothing can be sent, events fill few batches instead of many") {
  World world;
  for (int i = 0; i < 1'000; ++i) {
    (void)world.put();
    world.step(false);
    world.agent.pass(100);
  }
  CHECK(world.agent.stream.held_batches() == 1);
  world.agent.pass(31'000);
  world.step();
  world.step();
  REQUIRE(world.agent.sent.size() == 2);
  CHECK(world.agent.sent[0].event_count + world.agent.sent[1].event_count == 1'000);
}

TEST_CASE("what is held is bounded with what a batch costs beside its events") {
  LaneOptions options;
  options.batcher.max_events = 1;
  options.max_held_bytes = 100'000;
  World world(options);
  int kept = 0;
  for (; world.put() != Lane::Put::full; ++kept) world.step(false);
  CHECK(kept > 200);
  CHECK(kept < 100'000 / 256);
  const LaneStats full = world.lane.stats();
  CHECK(full.held_bytes >= 256 * static_cast<std::uint64_t>(kept));
  world.agent.stream.give_up();
  world.step(false);
  CHECK(world.lane.stats().held_bytes == 0);
  CHECK(world.lane.stats().abandoned == static_cast<std::uint64_t>(kept));
}

TEST_CASE("events that the server takes as too late or rejects by name are told as rejected, for none of them counts") {
  World world;
  for (int i = 0; i < 10; ++i) (void)world.put();
  (void)world.lane.mark();
  world.step();
  REQUIRE(world.agent.sent.size() == 1);
  wire::Ack ack;
  ack.key = world.agent.sent[0].key();
  ack.status = wire::AckStatus::counted;
  ack.accepted = 5;
  ack.late = 3;
  ack.rejected[0] = 2;
  ack.unmatched = 4;
  world.agent.stream.acked(ack, world.agent.now);
  world.step();
  CHECK(world.lane.stats().counted == 10);
  std::array<std::uint64_t, event_fault_count> expected{};
  expected[static_cast<std::size_t>(EventFault::too_old) - 1] = 3;
  expected[static_cast<std::size_t>(EventFault::no_service) - 1] = 2;
  CHECK(world.lane.stats().rejected == expected);
  CHECK(world.lane.stats().unmatched == 4);
}

TEST_CASE("what the caller gave up is told in the header of the next batch, and stays told") {
  World world;
  world.lane.note_dropped(7);
  (void)world.put();
  (void)world.lane.mark();
  world.step();
  world.lane.note_dropped(2);
  (void)world.put();
  (void)world.lane.mark();
  world.step();
  REQUIRE(world.agent.sent.size() == 2);
  CHECK(world.agent.sent[0].dropped_events == 7);
  CHECK(world.agent.sent[1].dropped_events == 9);
  CHECK(world.lane.stats().dropped == 9);
}

TEST_CASE("each loss is told before it stands in the sums, and a callback may send") {
  int losses = 0;
  Lane* lane = nullptr;
  World* all = nullptr;
  LaneOptions options;
  options.on_loss = [&](const Settlement& one) {
    losses += static_cast<int>(one.event_count);
    CHECK(lane->stats().refused == 0);
    (void)all->put();
  };
  World world(options);
  lane = &world.lane;
  all = &world;
  (void)world.put();
  (void)world.lane.mark();
  world.step();
  REQUIRE(world.agent.sent.size() == 1);
  world.agent.answer(world.agent.sent[0], wire::AckStatus::refused, Reason::class_not_allowed);
  world.step();
  CHECK(losses == 1);
  CHECK(world.lane.stats().refused == 1);
  CHECK(world.lane.stats().held_events == 1);
}

TEST_CASE("a mark is reached when all before it is settled, in whatever order") {
  World world;
  (void)world.put();
  (void)world.lane.mark();
  (void)world.put();
  const std::uint64_t mark = world.lane.mark();
  (void)world.put();
  world.step();
  REQUIRE(world.agent.sent.size() == 2);
  CHECK_FALSE(world.lane.wait_settled(mark, 0));
  world.agent.counted(world.agent.sent[1]);
  world.step();
  CHECK_FALSE(world.lane.wait_settled(mark, 0));
  world.agent.counted(world.agent.sent[0]);
  world.step();
  CHECK(world.lane.wait_settled(mark, 0));
}

TEST_CASE("after close nothing is taken any more") {
  World world;
  (void)world.put();
  world.lane.close();
  CHECK(world.put() == Lane::Put::closed);
  world.step();
  CHECK(world.agent.sent.size() == 1);
}

}  // namespace
}  // namespace nissa::client::test
