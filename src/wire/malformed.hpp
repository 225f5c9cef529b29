// Why bytes from outside were not what docs/protocol.md says: what a MALFORMED answer bears.
#pragma once
#include <cstdint>
#include <string>

#include "base/refusal.hpp"

namespace nissa::wire {

struct Malformed {
  Reason reason = Reason::none;
  std::uint32_t offset = 0;  // from the first byte of the batch, or of the message that was proved
  std::string field;         // a path such as events[3].labels[0].key; empty where no field is at fault
  bool operator==(const Malformed&) const = default;
};

}  // namespace nissa::wire
