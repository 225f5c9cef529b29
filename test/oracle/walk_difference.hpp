// The differential check of the wire: our walks against the literal decode, for one input. Used by the property test
// and by the fuzzer.
#pragma once
#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "oracle/literal_decode.hpp"
#include "wire/schema.hpp"

namespace nissa::test {

// How often both accepted: a differential test of rejected inputs alone would prove little.
struct Agreement {
  std::uint64_t inputs = 0;
  std::uint64_t accepted = 0;
  double share() const { return inputs == 0 ? 0 : static_cast<double>(accepted) / static_cast<double>(inputs); }
};

// Each empties or says in which way the two differ.
// The table walk against the literal decode, for any message of the schema.
std::string message_difference(const wire::MessageRule& rule, google::protobuf::Message& prototype, ByteView bytes,
                               Agreement& agreement);
// A whole batch: header peek, fast walk and proof of identities against literal decode; and all values that were read.
std::string batch_difference(ByteView bytes, Agreement& agreement);

}  // namespace nissa::test
