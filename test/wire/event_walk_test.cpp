#include "wire/event_walk.hpp"

#include <doctest/doctest.h>

#include <string>

#include "oracle/walk_difference.hpp"
#include "support/seed.hpp"
#include "support/wire_generator.hpp"
#include "support/wire_printers.hpp"
#include "wire/event_writer.hpp"

using namespace nissa;
using namespace nissa::test;

namespace {

std::string hex(ByteView bytes) {
  std::string text;
  for (const Byte byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

constexpr Byte tag_of_events = wire::tag_of(10, wire::WireType::bytes);

// A keyless batch of what stands in `body`.
struct Batch {
  Bytes bytes;
  wire::BatchHeader header;
};
Batch batch_of(std::uint32_t event_count, std::string_view body) {
  Batch batch;
  batch.header.event_count = event_count;
  wire::append_header(batch.bytes, batch.header);
  batch.header.header_size = static_cast<std::uint32_t>(batch.bytes.size());
  ByteWriter(batch.bytes).raw(as_bytes(body));
  return batch;
}

std::expected<wire::BodyCounts, wire::Malformed> walked(const Batch& batch) {
  wire::BodyWalk walk(batch.bytes, batch.header);
  wire::EventView event;
  while (walk.next(event)) {
  }
  return walk.finish();
}
wire::Malformed fault_of(const Batch& batch) {
  const auto counts = walked(batch);
  return counts ? wire::Malformed{} : counts.error();
}

}  // namespace

TEST_CASE("the fast walk accepts what the literal decode accepts, reads what it reads, and explains what it refuses") {
  auto random = random_for(3);
  RandomChoices choose(random);
  Agreement agreement;
  for (int round = 0; round < 20000; ++round) {
    const auto batch = make_batch(choose);
    const auto mutations = static_cast<unsigned>(choose.below(3));
    const Bytes bytes = mutated(*batch.GetDescriptor(), encoded(batch), mutations, choose);
    const std::string difference = batch_difference(bytes, agreement);
    REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(bytes));
  }
  MESSAGE("accepted by both: " << agreement.accepted << " of " << agreement.inputs);
  CHECK(agreement.share() >= 0.2);
}

TEST_CASE("every single field of an event, and every one behind the events, is judged as by the literal decode") {
  Agreement agreement;
  for (const Bytes& field : single_fields()) {
    Bytes event{tag_of_events};
    ByteWriter(event).text(as_text(field));
    for (const std::string& body :
         {std::string(as_text(event)), "\x52" + std::string(1, '\0') + std::string(as_text(field))}) {
      const Bytes bytes = batch_of(1, body).bytes;
      const std::string difference = batch_difference(bytes, agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(bytes));
    }
  }
  CHECK(agreement.accepted > 0);
}

TEST_CASE("a batch cut anywhere is refused, unless the cut leaves a whole batch") {
  auto random = random_for(4);
  RandomChoices choose(random);
  Agreement agreement;
  for (int round = 0; round < 50; ++round) {
    const Bytes bytes = encoded(make_batch(choose));
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::string difference = batch_difference(ByteView(bytes).first(size), agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(ByteView(bytes).first(size)));
    }
  }
}

TEST_CASE("what the writer of events wrote is canonical and reads back") {
  auto random = random_for(5);
  for (int round = 0; round < 1000; ++round) {
    const std::vector<wire::LabelView> labels(random() % 4, {"region", "eu"});
    Bytes identity;
    wire::append_identity(identity, random() % 4 == 0 ? "" : "checkout", random() % 4 == 0 ? "" : "GET /", labels);
    wire::EventHead head;
    if (random() % 2 == 0) head.time_unix_ns = random();
    if (random() % 2 == 0) head.duration_ns = random() >> 1;
    head.outcome = static_cast<wire::EventOutcome>(random() % 5);
    const std::string request_id(random() % 3 * 70, 'r');
    head.request_id = request_id;

    Batch batch = batch_of(1, "");
    const std::size_t before = batch.bytes.size();
    wire::append_event(batch.bytes, head, identity);
    CHECK(batch.bytes.size() - before == wire::event_size(head, identity));
    Agreement agreement;
    REQUIRE(batch_difference(batch.bytes, agreement).empty());
    REQUIRE(agreement.accepted == 1);
    wire::BodyWalk walk(batch.bytes, batch.header);
    wire::EventView event;
    REQUIRE(walk.next(event));
    CHECK(event.has_time == head.time_unix_ns.has_value());
    if (event.has_time) CHECK(event.time_unix_ns == *head.time_unix_ns);
    CHECK(event.duration_ns == head.duration_ns.value_or(wire::no_duration));
    CHECK(event.outcome == head.outcome);
    CHECK(event.request_id_size == request_id.size());
    CHECK(as_text(event.identity) == as_text(identity));
    CHECK_FALSE(walk.next(event));
  }
}

TEST_CASE("metrics, alerts and unknown fields behind the events are proven and counted") {
  using namespace std::string_literals;
  const auto counts = walked(batch_of(4, "\x52\x00\x5a\x00\x5a\x00\x62\x00\x68\x01"s));
  REQUIRE(counts);
  CHECK(counts->events == 1);
  CHECK(counts->metrics == 2);
  CHECK(counts->alerts == 1);
  CHECK(fault_of(batch_of(2, "\x5a\x00\x52\x00"s)) == wire::Malformed{Reason::field_out_of_order, 6, "events"});
}

TEST_CASE("the header must tell the number of events, neither more nor less") {
  using namespace std::string_literals;
  const std::string two = "\x52\x00\x52\x00"s;
  CHECK(walked(batch_of(2, two)));
  CHECK(fault_of(batch_of(3, two)) == wire::Malformed{Reason::event_count_wrong, 8, "event_count"});
  CHECK(fault_of(batch_of(1, two)) == wire::Malformed{Reason::event_count_wrong, 6, "events[1]"});
  CHECK(fault_of(batch_of(2, "\x52\x00\x5a\x00\x5a\x00"s)).reason == Reason::event_count_wrong);
}

TEST_CASE("a field of the header does not come back in the body") {
  using namespace std::string_literals;
  CHECK(fault_of(batch_of(1, "\x52\x00\x18\x05"s)).reason == Reason::field_out_of_order);
  CHECK(fault_of(batch_of(1, "\x52\x00\x98\x00\x05"s)).reason == Reason::varint_not_minimal);
}
