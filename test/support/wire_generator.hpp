// Messages of the schema for property tests and fuzzers: valid ones by reflection, and their bytes with faults of
// structure (order, repetition, encodings, lengths, text, unknown fields, …) that plain byte flips seldom reach.
#pragma once
#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "nissa.pb.h"
#include "support/choices.hpp"

namespace nissa::test {

std::string some_text(Choices& choose);      // UTF-8
std::uint64_t some_number(Choices& choose);  // often at the end of a range

// Required fields always, others by choice; all values that the field's type allows.
void fill(google::protobuf::Message& message, Choices& choose);
// A batch that is accepted: its header as docs/protocol.md asks.
v2::TelemetryBatch make_batch(Choices& choose);

// Every way to write one field by itself: all small numbers and those at the ends of what a tag can bear, all wire
// types, values at the ends of all ranges. For walks through what random choices seldom meet.
std::vector<Bytes> single_fields();

Bytes encoded(const google::protobuf::Message& message);
// `message` must be canonical. As many mutations as asked for; some of them leave it canonical.
Bytes mutated(const google::protobuf::Descriptor& type, ByteView message, unsigned mutations, Choices& choose);

}  // namespace nissa::test
