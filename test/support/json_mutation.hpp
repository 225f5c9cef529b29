// JSON texts of batches for property tests and fuzzers: as protobuf prints them, and broken in ways that plain byte
// flips seldom reach (tokens that are doubled, missing, exchanged, of another spelling or from another text).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "nissa.pb.h"
#include "support/choices.hpp"

namespace nissa::test {

// A batch that is accepted as JSON: its header may lack what is filled in (priority, event_count).
v2::TelemetryBatch make_json_batch(Choices& choose);
// As protobuf prints it, by one of its options.
std::string printed(const google::protobuf::Message& message, Choices& choose);

enum class JsonMutation { bytes, tokens, spellings, splices };
std::string mutated_json(std::string_view text, std::string_view other, JsonMutation mode, Choices& choose);

// Marks, texts with their quotes, and everything else between white space and marks.
std::vector<std::string> json_tokens(std::string_view text);

}  // namespace nissa::test
