// Each limit at its edge: exactly so much is taken, one more is refused by name, and the connection goes on.
#include <doctest/doctest.h>

#include "door_world.hpp"

namespace nissa::ingest::test {
namespace {

using wire::AckStatus;

std::uint32_t rejected(const wire::Ack& ack, EventFault fault) {
  return ack.rejected[static_cast<std::size_t>(fault) - 1];
}

// The bytes behind a frame's length, of a batch with such a body.
std::size_t content_size(const wire::BatchHeader& header, std::size_t body) {
  Bytes payload = payload_of(header, {});
  const std::size_t size = payload.size() + body;
  return 1 + wire::varint_size(size) + size;
}

TEST_CASE("a frame of max_frame bytes is counted; one byte more is told frame_too_large, and the next is counted") {
  WorldOptions options;
  options.ingest.max_frame_bytes = 64 * 1024;
  World world(options);
  const auto agent = world.connect();
  for (const std::size_t beyond : {0u, 1u}) {
    const Sequence sequence = 1 + beyond;
    wire::BatchHeader header = world.header(sequence, 500);
    std::size_t body_size = options.ingest.max_frame_bytes + beyond;
    body_size -= content_size(header, body_size) - body_size;
    const Bytes body = body_of_size(body_size);
    header.event_count = events_in(body);
    const Bytes frame = batch_frame(header, body);
    REQUIRE(frame.size() == options.ingest.max_frame_bytes + beyond + 3);
    world.send(agent, frame);
    world.pass_ms(10);
    REQUIRE(agent->acks.size() == sequence);
    const wire::Ack& ack = agent->acks.back();
    CHECK(ack.key == header.key());
    CHECK(ack.status == (beyond ? AckStatus::malformed : AckStatus::counted));
    CHECK(ack.reason == (beyond ? Reason::frame_too_large : Reason::none));
  }
  world.send(agent, world.batch(3));
  world.pass_ms(10);
  CHECK(agent->acks.back().status == AckStatus::counted);
  CHECK(world.sum().malformed == 1);
}

TEST_CASE("a frame too large is answered from its header, its body is skipped and takes no room") {
  WorldOptions options;
  options.ingest.max_frame_bytes = 64 * 1024;
  World world(options);
  const auto agent = world.connect();
  const Bytes body = body_of_size(8u << 20);
  const Bytes frame = world.batch_of(1, body);
  world.send(agent, ByteView(frame).first(400));
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].reason == Reason::frame_too_large);
  for (std::size_t at = 400; at < frame.size(); at += 100'000) {
    world.send(agent, ByteView(frame).subspan(at, std::min<std::size_t>(100'000, frame.size() - at)));
    CHECK(world.bytes_in_use() <= 2 * BufferPool::unit);
  }
  world.send(agent, world.batch(2));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
}

TEST_CASE("a batch of max_events is counted; one event more is told too_many_events, an empty one empty_batch") {
  World world;
  const auto agent = world.connect();
  world.send(agent, world.batch(1, 1'000));
  world.send(agent, world.batch(2, 1'001));
  world.send(agent, world.batch(3, 0));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 3);
  CHECK(agent->ack_of(1)->accepted == 1'000);
  CHECK(agent->ack_of(2)->status == AckStatus::malformed);
  CHECK(agent->ack_of(2)->reason == Reason::too_many_events);
  CHECK(agent->ack_of(2)->field == "event_count");
  CHECK(agent->ack_of(3)->status == AckStatus::malformed);
  CHECK(agent->ack_of(3)->reason == Reason::empty_batch);
  CHECK(world.total_of_shop() == 1'000);
}

TEST_CASE("too many events are told from the header, before the body is there") {
  World world;
  const auto agent = world.connect();
  const Bytes frame = world.batch(1, 1'001);
  world.send(agent, ByteView(frame).first(300));
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].reason == Reason::too_many_events);
  world.send(agent, ByteView(frame).subspan(300));
  world.send(agent, world.batch(2));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
}

TEST_CASE("an agent's name of 96 bytes is taken, one of 97 is not") {
  World world;
  const auto agent = world.connect();
  const std::string name(97, 'n');
  for (const std::size_t size : {96u, 97u}) {
    Bytes payload = payload_of(world.header(size), {});
    put_text(payload, 8, std::string_view(name).substr(0, size));
    append(payload, body_of(1));
    Bytes frame;
    wire::append_frame(frame, wire::FrameKind::batch, payload);
    world.send(agent, frame);
    world.pass_ms(10);
  }
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[0].status == AckStatus::counted);
  CHECK(agent->acks[1].status == AckStatus::malformed);
  CHECK(agent->acks[1].reason == Reason::header_invalid);
  CHECK(agent->acks[1].field == "agent");
  for (const std::size_t size : {96u, 97u}) {
    const auto other = world.connect({.greets = false});
    world.send(other, frame_of(wire::Hello{.agent = name.substr(0, size)}));
    CHECK(other->hello_acks.size() == (size == 96 ? 1 : 0));
  }
}

TEST_CASE("names of 256 bytes, 32 labels and a request_id of 64 bytes are counted; one more rejects that event alone") {
  World world;
  const auto agent = world.connect();
  AgentEvent good;
  good.operation = std::string(256, 'o');
  good.labels = 32;
  good.request_id = std::string(64, 'r');
  AgentEvent long_name = good;
  long_name.operation += 'o';
  AgentEvent many_labels = good;
  many_labels.labels = 33;
  AgentEvent long_id = good;
  long_id.request_id += 'r';
  world.send(agent, world.batch_of(1, body_of({good, long_name, many_labels, long_id})));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::counted);
  CHECK(agent->acks[0].accepted == 1);
  CHECK(rejected(agent->acks[0], EventFault::name_too_long) == 1);
  CHECK(rejected(agent->acks[0], EventFault::too_many_labels) == 1);
  CHECK(rejected(agent->acks[0], EventFault::request_id_too_long) == 1);
}

TEST_CASE("an event up to ten seconds ahead is counted, a nanosecond more is not") {
  World world;
  const auto agent = world.connect();
  world.pass_ms(100);
  const auto now = static_cast<std::uint64_t>(world.ledger->now_ms()) * ns_per_ms;
  world.send(
      agent,
      world.batch_of(1, body_of({{.time_unix_ns = now + 10 * ns_per_s}, {.time_unix_ns = now + 10 * ns_per_s + 1}})));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].accepted == 1);
  CHECK(rejected(agent->acks[0], EventFault::in_the_future) == 1);
}

TEST_CASE("numbers up to 255 above what is settled are taken, the 256th is told window_full") {
  World world;
  const auto agent = world.connect();
  world.send(agent, world.batch(256));
  world.send(agent, world.batch(257));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->ack_of(256)->status == AckStatus::counted);
  CHECK(agent->ack_of(257)->status == AckStatus::refused);
  CHECK(agent->ack_of(257)->reason == Reason::window_full);
  CHECK_FALSE(agent->ack_of(257)->final);
}

TEST_CASE("window_batches answers may be under way: no more are read, and no fewer") {
  for (const std::uint32_t window : {1u, 7u, 256u}) {
    World world{{.ingest = {.window_batches = window},
                 .ledger = {.commit = {.slow_after_ns = 3'600 * ns_per_s}},
                 .journal_by_hand = true}};
    const auto agent = world.connect();
    world.pass_ms(5);
    for (Sequence sequence = 1; sequence <= 256; ++sequence) agent->send(world.batch(sequence));
    world.pass_ms(100);
    CHECK(world.received() == window);
    world.finish_commits();
    CHECK(agent->acks.size() == 256);
  }
}

}  // namespace
}  // namespace nissa::ingest::test
