#include "wire/header_peek.hpp"

#include <doctest/doctest.h>

#include <string>

#include "base/crc32c.hpp"
#include "support/seed.hpp"
#include "support/wire_printers.hpp"

using namespace nissa;
using namespace std::string_literals;
using wire::BatchHeader;
using wire::Malformed;

namespace {

const std::string body = "\x52\x00"s;

BatchHeader some_header() {
  BatchHeader header;
  header.keyed = true;
  header.epoch = 0x1122334455667788;
  header.priority = Priority::high;
  header.sequence = 7;
  header.settled_below = 5;
  header.event_count = 1;
  header.sent_at_unix_ns = 1;
  header.epoch_seen = {9, 300};
  header.agent = "agent";
  header.dropped_events = 2;
  return header;
}

Bytes written(const BatchHeader& header) {
  Bytes out;
  wire::append_header(out, header);
  return out;
}

Malformed fault_of(std::string_view bytes) {
  const auto header = wire::peek_header(as_bytes(bytes));
  return header ? Malformed{} : header.error();
}

// The parts of a header, to be put together wrongly.
const std::string epoch = "\x09\x01\x02\x03\x04\x05\x06\x07\x08"s, priority = "\x10\x02"s, sequence = "\x18\x07"s,
                  settled = "\x20\x05"s, count = "\x28\x01"s, sent = "\x31\x01\x02\x03\x04\x05\x06\x07\x08"s,
                  seen = "\x3a\x0b\x09\x01\x02\x03\x04\x05\x06\x07\x08\x10\x05"s, agent = "\x42\x01"s + "a",
                  dropped = "\x48\x03"s;

}  // namespace

TEST_CASE("what the writer wrote is read back") {
  auto random = test::random_for(12);
  for (int round = 0; round < 5000; ++round) {
    const std::string name(random() % 97, 'n');
    BatchHeader header;
    header.keyed = random() % 4 != 0;
    header.priority = static_cast<Priority>(1 + random() % 4);
    header.event_count = static_cast<std::uint32_t>(random() >> (32 + random() % 32));
    header.sent_at_unix_ns = random() % 2 == 0 ? 0 : random();
    header.agent = name;
    header.dropped_events = random() % 2 == 0 ? 0 : random();
    if (header.keyed) {
      header.epoch = random() | 1;
      header.sequence = (random() >> (random() % 64)) | 1;
      header.settled_below = random() % 2 == 0 ? header.sequence : header.sequence / 2;
      header.epoch_seen = {random(), random() >> (random() % 64)};
    }
    Bytes bytes = written(header);
    header.header_size = static_cast<std::uint32_t>(bytes.size());
    ByteWriter(bytes).raw(as_bytes(body));
    const auto read = wire::peek_header(bytes);
    REQUIRE(read);
    CHECK(read->key() == header.key());
    CHECK(read->keyed == header.keyed);
    CHECK(read->settled_below == header.settled_below);
    CHECK(read->event_count == header.event_count);
    CHECK(read->sent_at_unix_ns == header.sent_at_unix_ns);
    CHECK(read->epoch_seen == header.epoch_seen);
    CHECK(read->agent == header.agent);
    CHECK(read->dropped_events == header.dropped_events);
    CHECK(read->header_size == header.header_size);
    if (header.keyed) CHECK(wire::peek_key(bytes) == header.key());
  }
}

TEST_CASE("the largest header that an agent can write fits") {
  BatchHeader header = some_header();
  const std::string name(wire::agent_limit, 'n');
  header.agent = name;
  header.sequence = header.settled_below = header.dropped_events = ~std::uint64_t{0};
  header.event_count = ~std::uint32_t{0};
  header.epoch_seen = {~std::uint64_t{0}, ~std::uint64_t{0}};
  CHECK(written(header).size() < wire::header_limit);
}

TEST_CASE("the first 256 bytes are enough, whatever follows") {
  Bytes bytes = written(some_header());
  const std::size_t size = bytes.size();
  bytes.resize(5000, 0x52);
  CHECK(wire::can_peek(256, bytes.size()));
  CHECK_FALSE(wire::can_peek(255, bytes.size()));
  CHECK(wire::can_peek(10, 10));
  const auto header = wire::peek_header(ByteView(bytes).first(wire::header_limit));
  REQUIRE(header);
  CHECK(header->header_size == size);
}

TEST_CASE("each rule of the header is named when it is broken") {
  const std::string key = epoch + priority + sequence + settled;
  CHECK(fault_of(key + count + sent + seen + agent + dropped + body) == Malformed{});
  CHECK(fault_of(priority + count + body) == Malformed{});
  CHECK(fault_of("") == Malformed{Reason::field_missing, 0, "priority"});
  CHECK(fault_of(count + body) == Malformed{Reason::field_missing, 2, "priority"});
  CHECK(fault_of(priority + body) == Malformed{Reason::field_missing, 2, "event_count"});
  CHECK(fault_of(priority + sequence + count + body).reason == Reason::field_missing);
  CHECK(fault_of(key + count + body) == Malformed{Reason::field_missing, 17, "epoch_seen"});
  CHECK(fault_of("\x10\x05"s + count) == Malformed{Reason::enum_unknown, 1, "priority"});
  CHECK(fault_of("\x10\x00"s + count).reason == Reason::enum_unknown);
  CHECK(fault_of("\x09\x00\x00\x00\x00\x00\x00\x00\x00"s + priority + count) ==
        Malformed{Reason::header_invalid, 1, "epoch"});
  CHECK(fault_of(epoch + priority + "\x18\x00"s) == Malformed{Reason::header_invalid, 12, "sequence"});
  CHECK(fault_of(epoch + priority + sequence + "\x20\x08"s) == Malformed{Reason::header_invalid, 14, "settled_below"});
  CHECK(fault_of(priority + priority + count).reason == Reason::field_repeated);
  CHECK(fault_of(count + priority).reason == Reason::field_out_of_order);
  CHECK(fault_of("\x12\x01\x01"s).reason == Reason::wrong_wire_type);
  CHECK(fault_of("\x16\x01"s).reason == Reason::bad_tag);
  CHECK(fault_of("\x01\x01"s).reason == Reason::bad_tag);
  CHECK(fault_of(priority + "\x28\x81\x00"s) == Malformed{Reason::varint_not_minimal, 3, "event_count"});
  CHECK(fault_of(priority + "\x28\x80\x80\x80\x80\x10"s).reason == Reason::value_out_of_range);
  CHECK(fault_of("\x90\x00\x02"s).reason == Reason::varint_not_minimal);
  CHECK(fault_of(priority + "\x28"s) == Malformed{Reason::truncated, 3, "event_count"});
  CHECK(fault_of(priority + count + "\x42\x61"s + std::string(97, 'n')).reason == Reason::header_invalid);
  CHECK(fault_of(priority + count + "\x42\x01\xff"s) == Malformed{Reason::bad_utf8, 6, "agent"});
  CHECK(fault_of(key + count + "\x3a\x09\x09\x01\x02\x03\x04\x05\x06\x07\x08"s) ==
        Malformed{Reason::field_missing, 28, "epoch_seen.running_ms"});
}

TEST_CASE("what reaches over the 256 bytes is too long, whether the rest is there or not") {
  // An epoch_seen may bear unknown fields: the one way to a long header.
  const std::string unknown = "\x1a\xe0\x01"s + std::string(0xe0, 'u');
  const std::string inner = "\x09\x01\x02\x03\x04\x05\x06\x07\x08\x10\x05"s + unknown;
  const std::string bytes = epoch + priority + sequence + settled + count + "\x3a\xee\x01"s + inner + body;
  REQUIRE(bytes.size() > wire::header_limit);
  CHECK(fault_of(bytes).reason == Reason::header_too_long);
  CHECK(fault_of(bytes.substr(0, wire::header_limit)) == fault_of(bytes));
}

TEST_CASE("the key is told even if the rest of the header is malformed") {
  const std::string key = epoch + priority + sequence;
  CHECK(wire::peek_key(as_bytes(key + "\x20\xff"s)) == BatchKey{0x0807060504030201, Priority::normal, 7});
  CHECK(wire::peek_key(as_bytes(key)) == BatchKey{0x0807060504030201, Priority::normal, 7});
  CHECK_FALSE(wire::peek_key(as_bytes(epoch + priority)));
  CHECK_FALSE(wire::peek_key(as_bytes(epoch + priority + "\x18\x00"s)));
}

TEST_CASE("a batch of nothing, and one of too much, are known by their header") {
  BatchHeader header = some_header();
  CHECK_FALSE(wire::check_event_count(header, 1000));
  header.event_count = 0;
  CHECK(wire::check_event_count(header, 1000)->reason == Reason::empty_batch);
  header.event_count = 1001;
  CHECK(wire::check_event_count(header, 1000)->reason == Reason::too_many_events);
}

TEST_CASE("the fingerprint is the body's length and CRC-32C") {
  CHECK(wire::fingerprint_of(as_bytes("123456789")) == Fingerprint{9, 0xE3069283});
}
