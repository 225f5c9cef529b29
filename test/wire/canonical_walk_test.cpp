#include "wire/canonical_walk.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>

#include <memory>
#include <vector>

#include "oracle/walk_difference.hpp"
#include "support/seed.hpp"
#include "support/wire_generator.hpp"
#include "support/wire_printers.hpp"

using namespace nissa;
using namespace nissa::test;
using wire::Malformed;

namespace {

std::string hex(ByteView bytes) {
  std::string text;
  for (const Byte byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::unique_ptr<google::protobuf::Message> make_message(std::string_view name) {
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("nissa.v2." + std::string(name));
  return std::unique_ptr<google::protobuf::Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

// Some value of one field, and no other.
Bytes field_alone(std::string_view name, std::uint32_t number, Choices& choose) {
  const auto message = make_message(name);
  const auto& reflection = *message->GetReflection();
  const auto& type = *message->GetDescriptor();
  const auto* wanted = type.FindFieldByNumber(static_cast<int>(number));
  const auto there = [&] {
    return wanted->is_repeated() ? reflection.FieldSize(*message, wanted) > 0 : reflection.HasField(*message, wanted);
  };
  while (!there()) {
    message->Clear();
    fill(*message, choose);
  }
  for (int i = 0; i < type.field_count(); ++i)
    if (type.field(i) != wanted) reflection.ClearField(message.get(), type.field(i));
  return encoded(*message);
}

Malformed fault_of(const wire::MessageRule& rule, std::string_view bytes) {
  const auto proof = wire::prove_canonical(rule, as_bytes(bytes));
  return proof ? Malformed{} : proof.error();
}

}  // namespace

TEST_CASE("the walk and the literal decode agree on every message of the schema, however it was mutated") {
  auto random = random_for(1);
  RandomChoices choose(random);
  Agreement agreement;
  for (int round = 0; round < 1500; ++round) {
    for (const wire::MessageRule* rule : wire::all_message_rules()) {
      const auto message = make_message(rule->name);
      fill(*message, choose);
      const auto mutations = static_cast<unsigned>(choose.below(3));
      const Bytes bytes = mutated(*message->GetDescriptor(), encoded(*message), mutations, choose);
      const std::string difference = message_difference(*rule, *message, bytes, agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(bytes));
    }
  }
  MESSAGE("accepted by both: " << agreement.accepted << " of " << agreement.inputs);
  CHECK(agreement.share() >= 0.2);
}

TEST_CASE("every single field is judged alike, in every message") {
  Agreement agreement;
  for (const wire::MessageRule* rule : wire::all_message_rules()) {
    const auto message = make_message(rule->name);
    for (const Bytes& field : single_fields()) {
      const std::string difference = message_difference(*rule, *message, field, agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(field));
    }
  }
}

TEST_CASE("every two fields, one behind the other in either order, are judged alike in every message") {
  auto random = random_for(6);
  RandomChoices choose(random);
  Agreement agreement;
  for (const wire::MessageRule* rule : wire::all_message_rules()) {
    std::vector<Bytes> fields;
    for (const wire::FieldRule& field : rule->fields) fields.push_back(field_alone(rule->name, field.number, choose));
    for (const Bytes& one : fields) {
      for (const Bytes& other : fields) {
        Bytes both = one;
        both.insert(both.end(), other.begin(), other.end());
        const auto message = make_message(rule->name);
        const std::string difference = message_difference(*rule, *message, both, agreement);
        REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(both));
      }
    }
  }
  CHECK(agreement.accepted > 100);
}

TEST_CASE("plain noise is judged alike too") {
  auto random = random_for(2);
  Agreement agreement;
  for (int round = 0; round < 20000; ++round) {
    Bytes bytes(random() % 12);
    // Small values, so that tags and lengths make sense more often.
    for (Byte& byte : bytes) byte = static_cast<Byte>(random() % (random() % 2 == 0 ? 256 : 20));
    for (const auto* rule : {&wire::schema::hello, &wire::schema::telemetry_event, &wire::schema::client_frame}) {
      const auto message = make_message(rule->name);
      const std::string difference = message_difference(*rule, *message, bytes, agreement);
      REQUIRE_MESSAGE(difference.empty(), difference << "\n" << hex(bytes));
    }
  }
}

TEST_CASE("a fault is named by reason, offset and path") {
  using namespace std::string_literals;
  const auto& batch = wire::schema::telemetry_batch;
  const auto& label = wire::schema::label;
  // Event 1's label 0 has a key of one byte that is no UTF-8.
  const auto bad_key = "\x52\x00\x52\x0a\x42\x01s\x52\x05\x0a\x01\xff\x12\x00"s;
  CHECK(fault_of(batch, bad_key) == Malformed{Reason::bad_utf8, 11, "events[1].labels[0].key"});
  CHECK(fault_of(batch, "\x10\x09"s) == Malformed{Reason::enum_unknown, 1, "priority"});
  CHECK(fault_of(batch, "\x18\x01\x10\x01"s) == Malformed{Reason::field_out_of_order, 2, "priority"});
  CHECK(fault_of(batch, "\x10\x01\x10\x01"s) == Malformed{Reason::field_repeated, 2, "priority"});
  CHECK(fault_of(batch, "\x18\x81\x00"s) == Malformed{Reason::varint_not_minimal, 1, "sequence"});
  CHECK(fault_of(batch, "\x28\xff\xff\xff\xff\x1f"s) == Malformed{Reason::value_out_of_range, 1, "event_count"});
  CHECK(fault_of(batch, "\x0a\x00"s) == Malformed{Reason::wrong_wire_type, 1, "epoch"});
  CHECK(fault_of(batch, "\x52\x05\x09"s) == Malformed{Reason::truncated, 1, "events[0]"});
  CHECK(fault_of(batch, "\x52\x01\x09"s) == Malformed{Reason::truncated, 3, "events[0].time_unix_ns"});
  CHECK(fault_of(batch, "\x52\x02\x28\x00"s) == Malformed{Reason::unknown_field_misplaced, 2, "events[0].5"});
  CHECK(fault_of(batch, "\x52\x01\x03"s) == Malformed{Reason::bad_tag, 2, "events[0]"});
  CHECK(fault_of(batch, "\x3a\x00"s) == Malformed{Reason::field_missing, 2, "epoch_seen.state_id"});
  CHECK(fault_of(label, "\x12\x00"s) == Malformed{Reason::field_missing, 0, "key"});
  CHECK(fault_of(label, ""s) == Malformed{Reason::field_missing, 0, "key"});
  CHECK(fault_of(wire::schema::client_frame, "\x22\x00\x2a\x09\x09\x01\x02\x03\x04\x05\x06\x07\x08"s) ==
        Malformed{Reason::field_repeated, 2, "goodbye"});
  CHECK(fault_of(label, "\x0a\x00\x12\x00\x1a\x00\x18\x01\x98\x06\x01"s) == Malformed{});  // unknown ones, above
}
