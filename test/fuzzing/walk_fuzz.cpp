// Structure-aware differential fuzzing of the proof of the wire: our walks against the literal decode.
//
// An input is a program for the generator of messages (support/wire_generator.hpp): its bytes decide what message is
// made and what is broken in it, so that libFuzzer's changes of bytes are changes of structure. One input in sixteen is
// taken as the bytes of a message themselves. How the report judges: agreement_report.hpp.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "agreement_report.hpp"
#include "nissa.pb.h"
#include "oracle/walk_difference.hpp"
#include "support/choices.hpp"
#include "support/wire_generator.hpp"

using namespace nissa;

namespace {

constexpr unsigned most_mutations = 2;
constexpr std::size_t most_fault_bytes = 32;

std::unique_ptr<google::protobuf::Message> make_message(const wire::MessageRule& rule) {
  const auto* type = v2::TelemetryBatch::descriptor()->file()->FindMessageTypeByName(std::string(rule.name));
  return std::unique_ptr<google::protobuf::Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

void check(const wire::MessageRule& rule, google::protobuf::Message& prototype, ByteView bytes) {
  const bool is_batch = &rule == &wire::schema::telemetry_batch;
  const std::string difference = is_batch ? test::batch_difference(bytes, test::agreement)
                                          : test::message_difference(rule, prototype, bytes, test::agreement);
  if (!difference.empty()) test::crash(difference);
}

void check_made(const wire::MessageRule& rule, google::protobuf::Message& message, test::Choices& choose,
                test::Choices& faults) {
  const auto mutations = static_cast<unsigned>(faults.below(most_mutations + 1));
  if (&rule == &wire::schema::telemetry_batch) {
    message.CopyFrom(test::make_batch(choose));
  } else {
    test::fill(message, choose);
  }
  check(rule, message, test::mutated(*message.GetDescriptor(), test::encoded(message), mutations, faults));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::begin_fuzzing();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input(data, size);
  if (input.size() < 2) return 0;
  const Byte mode = input[0];
  const auto rules = wire::all_message_rules();
  // Half of the inputs are batches: the fast walk is there.
  const wire::MessageRule& rule = mode % 2 == 0 ? wire::schema::telemetry_batch : *rules[input[1] % rules.size()];
  input = input.subspan(2);
  const auto message = make_message(rule);
  if (mode >> 4 == 15) {
    check(rule, *message, input);
    return 0;
  }
  // The faults have a part of the program to themselves: else the message would eat it up, and most inputs would be
  // broken in the plainest way or in none.
  const std::size_t for_faults = std::min(input.size() / 2, most_fault_bytes);
  test::ByteChoices faults(input.first(for_faults));
  test::ByteChoices choices(input.subspan(for_faults));
  // A quarter of the inputs are seeds: what no coverage leads to (one number of many) is met by chance alone.
  std::mt19937_64 random(std::hash<std::string_view>{}(as_text(input)));
  test::RandomChoices sown(random);
  const bool is_seed = (mode >> 1 & 3) == 3;
  if (is_seed) {
    check_made(rule, *message, sown, sown);
  } else {
    check_made(rule, *message, choices, faults);
  }
  return 0;
}
