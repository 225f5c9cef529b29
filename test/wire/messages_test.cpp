#include "wire/messages.hpp"

#include <doctest/doctest.h>

#include <string>

#include "nissa.pb.h"
#include "oracle/literal_decode.hpp"
#include "support/seed.hpp"
#include "support/wire_generator.hpp"
#include "support/wire_printers.hpp"
#include "wire/canonical_walk.hpp"
#include "wire/event_walk.hpp"
#include "wire/frame.hpp"
#include "wire/header_peek.hpp"

using namespace nissa;
using namespace std::string_literals;
using wire::Malformed;

namespace {

template <class Message>
Bytes encoded_as(const Message& message) {
  Bytes out;
  wire::encode(out, message);
  return out;
}

wire::Ack random_ack(std::mt19937_64& random) {
  const auto maybe = [&random](std::uint64_t value) { return random() % 2 == 0 ? 0 : value; };
  wire::Ack ack;
  if (random() % 4 != 0)
    ack.key = BatchKey{random(), static_cast<Priority>(1 + random() % 4), random() >> (random() % 64)};
  ack.status = static_cast<wire::AckStatus>(1 + random() % 5);
  ack.reason = all_reasons()[random() % all_reasons().size()];
  ack.final = random() % 2 == 0;
  ack.retry_after_ms = static_cast<std::uint32_t>(maybe(random()));
  if (ack.status == wire::AckStatus::malformed) {
    ack.byte_offset = static_cast<std::uint32_t>(random() >> 40);
    ack.field = "events[3].labels[0].key";
  }
  if (ack.status == wire::AckStatus::counted) {
    ack.accepted = static_cast<std::uint32_t>(random() >> (32 + random() % 32));
    ack.late = static_cast<std::uint32_t>(maybe(random()));
    for (auto& count : ack.rejected) count = static_cast<std::uint32_t>(maybe(random()));
    ack.clock_skew_ms = static_cast<std::int64_t>(maybe(random()));
    ack.unmatched = static_cast<std::uint32_t>(maybe(random()));
  }
  if (random() % 2 == 0) ack.now = EpochSeen{random(), random() >> (random() % 64)};
  ack.mode = static_cast<wire::WireMode>(random() % 3);
  ack.unkeyed = random() % 2 == 0;
  if (random() % 2 == 0) ack.message = "events[3].service: expected a text, found 7";
  return ack;
}

}  // namespace

TEST_CASE("an ack written by hand is canonical, and protobuf reads back what was written") {
  auto random = test::random_for(20);
  for (int round = 0; round < 5000; ++round) {
    const wire::Ack ack = random_ack(random);
    const Bytes bytes = encoded_as(ack);
    v2::Ack literal;
    REQUIRE(test::literal_fault(literal, bytes) == "");
    const auto read = wire::decode_ack(bytes);
    REQUIRE(read);
    CHECK(read->key == ack.key);
    CHECK(read->status == ack.status);
    CHECK(read->reason == ack.reason);
    CHECK(read->final == ack.final);
    CHECK(read->retry_after_ms == ack.retry_after_ms);
    CHECK(read->byte_offset == ack.byte_offset);
    CHECK(read->field == ack.field);
    CHECK(read->accepted == ack.accepted);
    CHECK(read->late == ack.late);
    CHECK(read->rejected == ack.rejected);
    CHECK(read->clock_skew_ms == ack.clock_skew_ms);
    CHECK(read->now == ack.now);
    CHECK(read->mode == ack.mode);
    CHECK(read->unkeyed == ack.unkeyed);
    CHECK(read->message == ack.message);
    CHECK(read->unmatched == ack.unmatched);
  }
}

TEST_CASE("small messages of clients come back as they went, and are canonical") {
  wire::Hello hello{2, Epoch{77}, "agent", "token", 123};
  const auto read_hello = wire::decode_hello(encoded_as(hello));
  REQUIRE(read_hello);
  CHECK(read_hello->epoch == hello.epoch);
  CHECK(read_hello->agent == "agent");
  CHECK(read_hello->token == "token");
  CHECK(read_hello->sent_at_unix_ns == 123);
  CHECK_FALSE(wire::decode_hello(encoded_as(wire::Hello{}))->epoch);

  const auto beat = wire::decode_heartbeat(encoded_as(wire::Heartbeat{5, 6}));
  REQUIRE(beat);
  CHECK(beat->sent_at_unix_ns == 5);
  CHECK(beat->round_trip_ns == 6);

  const auto goodbye = wire::decode_goodbye(encoded_as(wire::Goodbye{7, EpochSeen{8, 9}}));
  REQUIRE(goodbye);
  CHECK(goodbye->epoch == 7);
  CHECK(goodbye->epoch_seen == EpochSeen{8, 9});

  const auto command = wire::decode_control_command(encoded_as(wire::ControlCommand{3, "mode", {{"to", "normal"}}}));
  REQUIRE(command);
  CHECK(command->id == 3);
  CHECK(command->name == "mode");
  REQUIRE(command->arguments.size() == 1);
  CHECK(command->arguments[0].second == "normal");
}

TEST_CASE("small messages of the server come back as they went") {
  const wire::HelloAck ack{1 << 20, 1000, 256,     1 << 20, {1, 2}, wire::WireMode::conservative,
                           true,    99,   4 << 20, 1 << 16};
  const auto read = wire::decode_hello_ack(encoded_as(ack));
  REQUIRE(read);
  CHECK(read->max_frame_bytes == ack.max_frame_bytes);
  CHECK(read->max_events == 1000);
  CHECK(read->window_batches == 256);
  CHECK(read->window_bytes == ack.window_bytes);
  CHECK(read->now == ack.now);
  CHECK(read->mode == ack.mode);
  CHECK(read->epoch_known == true);
  CHECK(read->sent_at_unix_ns == 99);
  CHECK(read->max_inflated_bytes == ack.max_inflated_bytes);
  CHECK(read->max_json_bytes == ack.max_json_bytes);
  CHECK(wire::decode_heartbeat_ack(encoded_as(wire::HeartbeatAck{4, {5, 6}}))->now == EpochSeen{5, 6});
  const auto go_away = wire::decode_go_away(encoded_as(wire::GoAway{Reason::idle, "60 s without a batch"}));
  REQUIRE(go_away);
  CHECK(go_away->reason == Reason::idle);
  CHECK(go_away->message == "60 s without a batch");
  const auto reply = wire::decode_control_reply(encoded_as(wire::ControlReply{1, false, Reason::not_supported, "no"}));
  REQUIRE(reply);
  CHECK(reply->reason == Reason::not_supported);
  CHECK_FALSE(reply->done);
}

TEST_CASE("an agent reads acks of a newer server: what it does not know is passed over") {
  // status COUNTED, reason 1000, field 200.
  const auto ack = wire::decode_ack(as_bytes("\x20\x01\x28\xe8\x07\xc0\x0c\x01"s));
  REQUIRE(ack);
  CHECK(ack->status == wire::AckStatus::counted);
  CHECK(ack->reason == Reason::none);
  CHECK_FALSE(wire::decode_ack(as_bytes("\x28\x01"s)));
}

TEST_CASE("what a client sent is refused unless it is canonical and makes sense") {
  CHECK(wire::decode_hello(as_bytes("\x08\x82\x00"s)).error() == Malformed{Reason::varint_not_minimal, 1, "protocol"});
  CHECK(wire::decode_hello(as_bytes("\x08\x01"s))->protocol == 1);  // for the session to answer
  CHECK(wire::decode_hello(as_bytes(""s)).error().reason == Reason::field_missing);
  wire::Hello hello;
  hello.agent = std::string(97, 'n');
  CHECK(wire::decode_hello(encoded_as(hello)).error().field == "agent");
  CHECK(wire::decode_goodbye(encoded_as(wire::Goodbye{0, {}})).error().field == "epoch");
  CHECK(wire::decode_heartbeat(as_bytes("\x10\x01\x10\x01"s)).error().reason == Reason::field_repeated);
}

TEST_CASE("a message in its envelope is a frame") {
  Bytes out;
  wire::append_message(out, wire::Ack{});
  wire::append_message(out, wire::GoAway{Reason::shutting_down, ""});
  const auto first = wire::next_server_frame(out, 1000);
  REQUIRE(first.status == wire::FrameStatus::complete);
  CHECK(first.kind == wire::ServerFrameKind::ack);
  CHECK(wire::decode_ack(first.payload));
  const auto second = wire::next_server_frame(ByteView(out).subspan(first.size), 1000);
  CHECK(second.kind == wire::ServerFrameKind::go_away);
}

// ------------------------------------------------------------------------------------------- semantic mode

TEST_CASE("semantic mode: a canonical batch is its own canonical form") {
  auto random = test::random_for(21);
  test::RandomChoices choose(random);
  for (int round = 0; round < 500; ++round) {
    const Bytes bytes = test::encoded(test::make_batch(choose));
    const auto header = wire::peek_header(bytes);
    REQUIRE(header);
    const auto canonical = wire::canonical_form(bytes);
    REQUIRE(canonical);
    CHECK(*canonical == bytes);
  }
}

TEST_CASE(
    "semantic mode: whatever the body looks like, its canonical form is canonical, means the same, and has the same "
    "header") {
  auto random = test::random_for(22);
  test::RandomChoices choose(random);
  int rewritten = 0;
  for (int round = 0; round < 5000; ++round) {
    const auto batch = test::make_batch(choose);
    const Bytes bytes = test::mutated(*batch.GetDescriptor(), test::encoded(batch), 1 + (round & 1), choose);
    const auto header = wire::peek_header(bytes);
    if (!header) continue;
    const auto canonical = wire::canonical_form(bytes);
    if (!canonical) continue;
    rewritten += *canonical != bytes;
    v2::TelemetryBatch literal;
    REQUIRE(test::literal_fault(literal, *canonical) == "");
    const std::size_t size = header->header_size;
    CHECK(as_text(ByteView(*canonical).first(size)) == as_text(ByteView(bytes).first(size)));
    v2::TelemetryBatch as_sent;
    REQUIRE(as_sent.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    CHECK(as_sent.SerializeAsString() == as_text(*canonical));
  }
  CHECK(rewritten > 50);
}

TEST_CASE("semantic mode: fields of an event in another order are forgiven, a field of the header in the body is not") {
  const std::string header = "\x10\x02\x28\x01"s;
  const auto swapped = header + "\x52\x05\x42\x01s\x18\x01"s;  // service before outcome
  const auto canonical = wire::canonical_form(as_bytes(swapped));
  REQUIRE(canonical);
  CHECK(as_text(*canonical) == header + "\x52\x05\x18\x01\x42\x01s"s);
  const auto again = wire::canonical_form(as_bytes(header + "\x52\x00\x10\x04"s));
  REQUIRE_FALSE(again);
  CHECK(again.error() == Malformed{Reason::field_out_of_order, 6, ""});
  CHECK(wire::canonical_form(as_bytes(header + "\x52\x00\x52\x00"s)).error() ==
        Malformed{Reason::event_count_wrong, 6, ""});
  CHECK(wire::canonical_form(as_bytes(header + "\x52\x03\x42\x01\xff"s)).error().reason == Reason::bad_utf8);
  CHECK(wire::canonical_form(as_bytes(header + "\x52\x02\x18\x09"s)).error() ==
        Malformed{Reason::enum_unknown, 7, "events[0].outcome"});
  CHECK(wire::canonical_form(as_bytes(header + "\x52\x04\x52\x02\x0a\x00"s)).error().reason == Reason::field_missing);
}
