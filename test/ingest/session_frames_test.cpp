// What each kind of frame is answered, and how a bad one leaves its neighbours alone.
#include <doctest/doctest.h>

#include "door_world.hpp"

namespace nissa::ingest::test {
namespace {

using wire::AckStatus;

// A batch of one event whose service is not UTF-8; `at`: the offset of that text in the batch.
Bytes bad_text(const World& world, Sequence sequence, std::uint32_t& at) {
  Bytes payload = payload_of(world.header(sequence), body_of({{.service = "sh\xffp"}}));
  const std::string_view text = as_text(payload);
  at = static_cast<std::uint32_t>(text.find("sh\xffp"));
  Bytes frame;
  wire::append_frame(frame, wire::FrameKind::batch, payload);
  return frame;
}

TEST_CASE("HelloAck tells the limits, the windows, the state and its running time, and echoes the agent's clock") {
  World world;
  const auto agent = world.connect({.greets = false});
  world.send(agent, frame_of(wire::Hello{.epoch = 7, .agent = "a", .sent_at_unix_ns = 1234}));
  REQUIRE(agent->hello_acks.size() == 1);
  const wire::HelloAck& ack = agent->hello_acks[0];
  CHECK(ack.max_frame_bytes == world.options.ingest.max_frame_bytes);
  CHECK(ack.max_events == 1000);
  CHECK(ack.window_batches == 256);
  CHECK(ack.window_bytes == 1u << 20);
  CHECK(ack.now == EpochSeen{world.disk.state_id, world.ledger->running_ms()});
  CHECK(ack.mode == wire::WireMode::normal);
  CHECK(ack.epoch_known == false);
  CHECK(ack.sent_at_unix_ns == 1234);
  world.send(agent, world.batch(1));
  world.pass_ms(10);
  const auto again = world.connect({.greets = false});
  world.send(again, frame_of(wire::Hello{.epoch = 7}));
  REQUIRE(again->hello_acks.size() == 1);
  CHECK(again->hello_acks[0].epoch_known == true);
  const auto unnamed = world.connect();
  REQUIRE(unnamed->hello_acks.size() == 1);
  CHECK_FALSE(unnamed->hello_acks[0].epoch_known.has_value());
}

TEST_CASE(
    "Hello comes first: what comes before it is told hello_expected, a batch by its key, and the connection lives") {
  World world;
  const auto agent = world.connect({.greets = false});
  Bytes all = world.batch(1);
  append(all, frame_of(wire::Heartbeat{1, {}}));
  append(all, frame_of(wire::ControlCommand{.id = 4, .name = "x"}));
  append(all, frame_of(wire::Goodbye{7, EpochSeen{world.disk.state_id, 0}}));
  world.send(agent, all);
  REQUIRE(agent->acks.size() == 4);
  for (const wire::Ack& one : agent->acks) {
    CHECK(one.status == AckStatus::malformed);
    CHECK(one.reason == Reason::hello_expected);
  }
  CHECK(agent->acks[0].key == BatchKey{7, Priority::normal, 1});
  CHECK(agent->heartbeat_acks.empty());
  CHECK(agent->replies.empty());
  world.send(agent, world.hello());
  world.send(agent, world.batch(1));
  world.pass_ms(10);
  CHECK(agent->acks.back().status == AckStatus::counted);
  CHECK(world.total_of_shop() == 1);
}

TEST_CASE("another protocol: told so, then sent away") {
  for (const std::uint32_t protocol : {1u, 3u}) {
    World world;
    const auto agent = world.connect({.greets = false});
    Bytes all = frame_of(wire::Hello{.protocol = protocol});
    append(all, world.batch(1));
    world.send(agent, all);
    REQUIRE(agent->acks.size() == 1);
    CHECK(agent->acks[0].reason == Reason::protocol_unknown);
    CHECK(agent->acks[0].field == "protocol");
    REQUIRE(agent->go_aways.size() == 1);
    CHECK(agent->go_aways[0].reason == Reason::protocol_unknown);
    CHECK(agent->ended);
    CHECK(agent->served);
    CHECK(agent->hello_acks.empty());
    CHECK(world.received() == 0);
    CHECK(world.closed(Reason::protocol_unknown) == 1);
  }
}

TEST_CASE("a malformed batch is told its offset, field and reason; its neighbours are counted") {
  World world;
  const auto agent = world.connect();
  std::uint32_t at = 0;
  Bytes all = world.batch(1);
  append(all, bad_text(world, 2, at));
  append(all, world.batch(3));
  world.send(agent, all);
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 3);
  const wire::Ack* bad = agent->ack_of(2);
  REQUIRE(bad != nullptr);
  CHECK(bad->status == AckStatus::malformed);
  CHECK(bad->reason == Reason::bad_utf8);
  CHECK(bad->field == "events[0].service");
  CHECK(bad->byte_offset == at);
  CHECK(agent->ack_of(1)->status == AckStatus::counted);
  CHECK(agent->ack_of(3)->status == AckStatus::counted);
  CHECK(world.total_of_shop() == 2);
  CHECK(world.sum().malformed == 1);
}

TEST_CASE(
    "a header that cannot be read is a line of its own in the books; the answer bears the key, if it can be read") {
  World world;
  const auto agent = world.connect();
  Bytes all;
  wire::BatchHeader header = world.header(1);
  header.settled_below = 2;  // above its own sequence
  append(all, batch_frame(header, body_of(1)));
  Bytes garbage;
  wire::append_frame(garbage, wire::FrameKind::batch, Bytes{0xff, 0xff, 0xff});
  append(all, garbage);
  append(all, world.batch(3));
  world.send(agent, all);
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 3);
  CHECK(agent->acks[0].key == BatchKey{7, Priority::normal, 1});
  CHECK(agent->acks[0].reason == Reason::header_invalid);
  CHECK(agent->acks[0].field == "settled_below");
  CHECK_FALSE(agent->acks[1].key.has_value());
  CHECK(agent->acks[1].status == AckStatus::malformed);
  CHECK(agent->acks[2].status == AckStatus::counted);
  CHECK(world.books.unreadable.value() == 2);
  CHECK(world.received() == 1);
}

TEST_CASE("a batch without a key is malformed over TCP") {
  World world;
  const auto agent = world.connect();
  wire::BatchHeader header = world.header(1);
  header.keyed = false;
  world.send(agent, batch_frame(header, body_of(1)));
  REQUIRE(agent->acks.size() == 1);
  CHECK_FALSE(agent->acks[0].key.has_value());
  CHECK(agent->acks[0].reason == Reason::header_invalid);
  CHECK(agent->acks[0].field == "epoch");
  CHECK(world.sum().malformed == 1);
}

TEST_CASE("a frame of an unknown kind is malformed, and the connection lives") {
  World world;
  const auto agent = world.connect();
  Bytes all = unknown_frame();
  append(all, Bytes{0});              // empty
  append(all, Bytes{1, 0x0a});        // cut within
  append(all, Bytes{3, 0x0a, 0, 0});  // something behind the message
  append(all, world.batch(1));
  world.send(agent, all);
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 5);
  CHECK(agent->acks[0].reason == Reason::frame_unknown);
  CHECK(agent->acks[1].reason == Reason::frame_unknown);
  CHECK(agent->acks[2].reason == Reason::truncated);
  CHECK(agent->acks[3].reason == Reason::frame_unknown);
  CHECK(agent->acks[4].status == AckStatus::counted);
  CHECK(world.books.unreadable.value() == 4);
  CHECK_FALSE(agent->ended);
}

TEST_CASE("lost framing: what came before is counted and answered, then GoAway and the end") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  Bytes all = world.batch(1);
  append(all, lost_framing());
  append(all, world.batch(2));
  world.send(agent, all);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::malformed);
  CHECK(agent->acks[0].reason == Reason::value_out_of_range);
  REQUIRE(agent->go_aways.size() == 1);
  CHECK(agent->go_aways[0].reason == Reason::value_out_of_range);
  CHECK_FALSE(agent->ended);  // it owes an answer
  world.finish_one();
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
  CHECK(agent->ended);
  CHECK(world.received() == 1);
}

TEST_CASE("a control command is answered: not supported over TCP") {
  World world;
  const auto agent = world.connect();
  world.send(agent, frame_of(wire::ControlCommand{.id = 17, .name = "mode", .arguments = {{"to", "normal"}}}));
  REQUIRE(agent->replies.size() == 1);
  CHECK(agent->replies[0].id == 17);
  CHECK_FALSE(agent->replies[0].done);
  CHECK(agent->replies[0].reason == Reason::not_supported);
  CHECK_FALSE(agent->replies[0].message.empty());
}

TEST_CASE("small messages that are not canonical are malformed; the connection lives") {
  World world;
  const auto agent = world.connect();
  Bytes all;
  for (const auto kind :
       {wire::FrameKind::hello, wire::FrameKind::heartbeat, wire::FrameKind::goodbye, wire::FrameKind::control})
    wire::append_frame(all, kind, Bytes{0xff, 0xff, 0xff, 0x01});
  world.send(agent, all);
  CHECK(agent->acks.size() == 4);
  for (const wire::Ack& one : agent->acks) CHECK(one.status == AckStatus::malformed);
  CHECK(world.books.unreadable.value() == 4);
  CHECK_FALSE(agent->ended);
}

TEST_CASE("a heartbeat is echoed with the state's running time") {
  World world;
  const auto agent = world.connect();
  world.pass_ms(30'000);
  world.send(agent, frame_of(wire::Heartbeat{99, 5}));
  REQUIRE(agent->heartbeat_acks.size() == 1);
  CHECK(agent->heartbeat_acks[0].sent_at_unix_ns == 99);
  CHECK(agent->heartbeat_acks[0].now == EpochSeen{world.disk.state_id, world.ledger->running_ms()});
  CHECK(agent->heartbeat_acks[0].now.running_ms > 20'000);
}

TEST_CASE("an agent whose clock is ahead: its event times are shifted, the ack says by how much") {
  World world;
  const auto agent = world.connect();
  const auto ahead = static_cast<std::uint64_t>(world.hand.clock.wall_ns() + 60 * ns_per_s);
  wire::BatchHeader header = world.header(1);
  header.sent_at_unix_ns = ahead;
  world.send(agent, batch_frame(header, body_of({{.time_unix_ns = ahead}})));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].accepted == 1);  // unshifted it would lie in the future
  CHECK(agent->acks[0].clock_skew_ms == 60'000);
}

TEST_CASE("a step of the server's own wall clock makes no agent's clock wrong") {
  for (const std::int64_t step_s : {-3'600, 86'400}) {
    World world;
    const auto agent = world.connect();
    const auto now = static_cast<std::uint64_t>(world.hand.clock.wall_ns());
    world.hand.clock.step_wall(step_s * ns_per_s);
    wire::BatchHeader header = world.header(1);
    header.sent_at_unix_ns = now;
    world.send(agent, frame_of(wire::Heartbeat{now, std::nullopt}));
    world.send(agent, frame_of(wire::Heartbeat{now, 1'000'000}));
    world.send(agent, batch_frame(header, body_of({{.time_unix_ns = now}})));
    world.pass_ms(10);
    REQUIRE(agent->acks.size() == 1);
    CHECK(agent->acks[0].clock_skew_ms == 0);
    CHECK(agent->acks[0].accepted == 1);
  }
}

TEST_CASE("clocks that are trusted are not shifted") {
  World world{{.fold = {.agent_clock = fold::AgentClock::trusted}}};
  const auto agent = world.connect();
  const auto ahead = static_cast<std::uint64_t>(world.hand.clock.wall_ns() + 60 * ns_per_s);
  wire::BatchHeader header = world.header(1);
  header.sent_at_unix_ns = ahead;
  world.send(agent, batch_frame(header, body_of({{.time_unix_ns = ahead}})));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].accepted == 0);
  CHECK(agent->acks[0].rejected[static_cast<std::size_t>(EventFault::in_the_future) - 1] == 1);
  CHECK(agent->acks[0].clock_skew_ms == 0);
}

TEST_CASE("a clock that is behind is believed of a heartbeat with a short round trip, never of a batch alone") {
  World world;
  const auto agent = world.connect({.greets = false});
  const auto clock = [&] { return static_cast<std::uint64_t>(world.hand.clock.wall_ns() - 60 * ns_per_s); };
  world.send(agent, frame_of(wire::Hello{.sent_at_unix_ns = clock()}));
  wire::BatchHeader header = world.header(1);
  header.sent_at_unix_ns = clock();
  world.send(agent, batch_frame(header, body_of(1)));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].clock_skew_ms == 0);  // it may have been on its way for a minute
  world.send(agent, frame_of(wire::Heartbeat{clock(), 1'000'000}));
  header = world.header(2);
  header.sent_at_unix_ns = clock();
  world.send(agent, batch_frame(header, body_of(1)));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].clock_skew_ms <= -59'900);
}

TEST_CASE("Goodbye ends its epoch: afterwards it is unknown, for ever") {
  World world;
  const auto agent = world.connect();
  world.send(agent, world.batch(1));
  world.pass_ms(10);
  world.send(agent, frame_of(wire::Goodbye{world.epoch, EpochSeen{world.disk.state_id, 0}}));
  world.pass_ms(10);
  CHECK(world.hand.get(world.ledger->async_epoch_known(world.epoch)) == false);
  world.send(agent, world.batch(1));
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].reason == Reason::unknown_epoch);
  CHECK(agent->acks[1].final);
  CHECK_FALSE(agent->ended);
}

TEST_CASE("while a Goodbye is pending its epoch is refused for a retry; batches before it in the stream are counted") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  Bytes all = world.batch(1);
  append(all, frame_of(wire::Goodbye{world.epoch, EpochSeen{world.disk.state_id, 0}}));
  append(all, world.batch(2));
  world.send(agent, all);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].key->sequence == 2);
  CHECK(agent->acks[0].reason == Reason::epoch_closing);
  CHECK_FALSE(agent->acks[0].final);
  world.finish_commits();
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
}

TEST_CASE("a Goodbye without epoch_seen is malformed and ends nothing") {
  World world;
  const auto agent = world.connect();
  world.send(agent, world.batch(1));
  world.pass_ms(10);
  world.send(agent, frame_of(wire::Goodbye{world.epoch, {}}));
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].reason == Reason::field_missing);
  CHECK(agent->acks[1].field == "epoch_seen");
  world.pass_ms(10);
  CHECK(world.hand.get(world.ledger->async_epoch_known(world.epoch)) == true);
}

}  // namespace
}  // namespace nissa::ingest::test
