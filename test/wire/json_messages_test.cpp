#include "wire/json_messages.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <string>

#include "nissa.pb.h"
#include "oracle/literal_decode.hpp"
#include "support/json_printers.hpp"
#include "support/seed.hpp"
#include "support/wire_generator.hpp"
#include "wire/json_decoder.hpp"
#include "wire/json_print.hpp"

using namespace nissa;
using google::protobuf::util::JsonStringToMessage;
using wire::JsonFault;

namespace {

std::unique_ptr<google::protobuf::Message> make_message(std::string_view name) {
  const auto* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("nissa.v2." + std::string(name));
  return std::unique_ptr<google::protobuf::Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

JsonFault fault_of(std::string_view text) {
  const auto read = wire::goodbye_from_json(text);
  return read ? JsonFault{} : read.error();
}

}  // namespace

TEST_CASE("every message of the schema comes back from its JSON as it was, and protobuf reads it the same") {
  auto random = test::random_for(65);
  test::RandomChoices choose(random);
  for (int round = 0; round < 300; ++round) {
    for (const wire::MessageRule* rule : wire::all_message_rules()) {
      const auto message = make_message(rule->name);
      test::fill(*message, choose);
      const Bytes bytes = test::encoded(*message);
      const std::string text = wire::print_json(*rule, bytes);
      const auto literal = make_message(rule->name);
      REQUIRE_MESSAGE(JsonStringToMessage(text, literal.get()).ok(), text);
      CHECK(literal->SerializeAsString() == as_text(bytes));
      wire::JsonDecoder decoder(text);
      wire::JsonMembers members;
      REQUIRE_MESSAGE(decoder.read(*rule, members), text);
      decoder.settle(*rule, members);
      CHECK(as_text(decoder.take_bytes()) == as_text(bytes));
    }
  }
}

TEST_CASE("an ack as JSON has the names of the schema, enums by name and 64-bit integers as texts") {
  wire::Ack ack;
  ack.key = BatchKey{0xffffffffffffffff, Priority::high, 12};
  ack.accepted = 3;
  ack.rejected[1] = 2;
  ack.clock_skew_ms = -60'000;
  ack.now = EpochSeen{7, 8};
  ack.mode = wire::WireMode::conservative;
  ack.unmatched = 1;
  CHECK(
      wire::json_of(ack) ==
      R"({"epoch":"18446744073709551615","priority":"HIGH","sequence":"12","status":"COUNTED","accepted":3,)"
      R"("rejected":[{"fault":"TOO_OLD","count":2}],"clock_skew_ms":"-60000","now":{"state_id":"7","running_ms":"8"},)"
      R"("mode":"MODE_CONSERVATIVE","unmatched":1})");
  wire::Ack refused{.status = wire::AckStatus::malformed, .reason = Reason::bad_json, .unkeyed = true};
  refused.message = "expected \"a\\b\", found a line\nand \xc3\xa9";
  CHECK(wire::json_of(refused) == R"({"status":"MALFORMED","reason":"BAD_JSON","byte_offset":0,"identity":"none",)"
                                  R"("message":"expected \"a\\b\", found a line\u000aand )"
                                  "\xc3\xa9\"}");
}

TEST_CASE("a hello's answer as JSON means what its bytes mean") {
  const wire::HelloAck ack{1 << 20, 1000, 256, 1 << 20, {1, 2}, wire::WireMode::normal, false, 99, 4 << 20, 1 << 16};
  const std::string text = wire::json_of(ack);
  CHECK(text == R"({"max_frame_bytes":1048576,"max_events":1000,"window_batches":256,"window_bytes":1048576,)"
                R"("now":{"state_id":"1","running_ms":"2"},"mode":"MODE_NORMAL","epoch_known":false,)"
                R"("sent_at_unix_ns":"99","max_inflated_bytes":4194304,"max_json_bytes":65536})");
  v2::HelloAck literal;
  REQUIRE(JsonStringToMessage(text, &literal).ok());
  Bytes bytes;
  wire::encode(bytes, ack);
  CHECK(literal.SerializeAsString() == as_text(bytes));
}

TEST_CASE("a goodbye is read from JSON as strictly as from its bytes") {
  const auto goodbye = wire::goodbye_from_json(R"({"epochSeen":{"running_ms":9,"stateId":"8"},"epoch":"7"})");
  REQUIRE(goodbye);
  CHECK(goodbye->epoch == 7);
  CHECK(goodbye->epoch_seen == EpochSeen{8, 9});
  CHECK_FALSE(wire::goodbye_from_json(R"({"epoch":1})")->epoch_seen);
  CHECK(fault_of(R"({})") == JsonFault{Reason::field_missing, 0, "epoch",
                                       R"(expected "epoch" in each Goodbye, found an object without it)"});
  CHECK(fault_of(R"({"epoch": "0"})") ==
        JsonFault{Reason::value_out_of_range, 10, "epoch", "expected a number that is not 0"});
  CHECK(fault_of(R"({"epoch":1,"epoch_seen":7})") ==
        JsonFault{Reason::wrong_wire_type, 24, "epoch_seen", "expected an object, found the number 7"});
}
