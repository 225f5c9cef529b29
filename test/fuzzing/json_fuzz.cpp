// Structure-aware differential fuzzing of JSON batches: our decoder against protobuf's.
//
// An input is a program: its bytes decide what batch is made, how it is printed and what is broken in the text. One
// input in sixteen is taken as the text itself. How the report judges: agreement_report.hpp.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "agreement_report.hpp"
#include "oracle/json_difference.hpp"
#include "support/choices.hpp"
#include "support/json_mutation.hpp"

using namespace nissa;

namespace {

constexpr std::size_t most_fault_bytes = 32;

void check(std::string_view text) {
  const std::string difference = test::json_difference(text, test::agreement);
  if (!difference.empty()) test::crash(difference + "\n" + std::string(text));
}

void check_made(Byte mode, test::Choices& choose, test::Choices& faults) {
  const std::string text = test::printed(test::make_json_batch(choose), choose);
  // Half of the texts stay whole; most others are spelled otherwise, for that leaves much acceptable.
  static constexpr test::JsonMutation modes[] = {test::JsonMutation::spellings, test::JsonMutation::spellings,
                                                 test::JsonMutation::bytes, test::JsonMutation::splices,
                                                 test::JsonMutation::tokens};
  const std::size_t chosen = mode % 10;
  check(chosen < 5 ? test::mutated_json(text, text, modes[chosen], faults) : text);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // it tells of every text that it does not take
  test::begin_fuzzing();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input(data, size);
  if (input.size() < 2) return 0;
  const Byte mode = input[0], way = input[1];
  input = input.subspan(2);
  if (mode >> 4 == 15) {
    check(as_text(input));
    return 0;
  }
  const std::size_t for_faults = std::min(input.size() / 2, most_fault_bytes);
  test::ByteChoices faults(input.first(for_faults));
  test::ByteChoices choices(input.subspan(for_faults));
  // A quarter of the inputs are seeds: what no coverage leads to is met by chance alone.
  std::mt19937_64 random(std::hash<std::string_view>{}(as_text(input)));
  test::RandomChoices sown(random);
  if ((mode & 3) == 3) {
    check_made(way, sown, sown);
  } else {
    check_made(way, choices, faults);
  }
  return 0;
}
