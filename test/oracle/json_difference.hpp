// The differential check of JSON batches: our decoder against protobuf's JsonStringToMessage, for one text. Used by the
// property test and by the fuzzer.
#pragma once
#include <string>
#include <string_view>

#include "nissa.pb.h"
#include "oracle/walk_difference.hpp"

namespace nissa::test {

// The bytes that we owe for a batch: what protobuf would write, with priority and event_count filled in.
std::string normalised(v2::TelemetryBatch batch);

// Empty, or in which way the two differ. What we accept, protobuf accepts, and it means the same; what we refuse is
// explained. We may refuse what protobuf takes. One exception: for a double protobuf reads the token -0 as 0; we keep
// the sign, as its newer releases do.
std::string json_difference(std::string_view text, Agreement& agreement);

}  // namespace nissa::test
