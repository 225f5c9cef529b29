// What the canonical walk must agree with, done literally: decode with protobuf, IsInitialized, re-encode, compare the
// bytes, check every string's UTF-8 and every unknown field by reflection. Knows nothing of src/wire.
#pragma once
#include <google/protobuf/message.h>

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "nissa.pb.h"

namespace nissa::test {

// Empty: accepted. Else what was wrong, for the failure message of a test. `message` takes what was decoded.
std::string literal_fault(google::protobuf::Message& message, ByteView bytes);

// A whole batch: canonical, and its header as docs/protocol.md asks. (max_events is no part of it.)
std::optional<v2::TelemetryBatch> literal_batch(ByteView bytes);

}  // namespace nissa::test
