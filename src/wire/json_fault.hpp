// Why a JSON text was not what docs/protocol.md says: what a MALFORMED answer over HTTP bears.
#pragma once
#include <cstddef>
#include <string>

#include "base/refusal.hpp"

namespace nissa::wire {

struct JsonFault {
  Reason reason = Reason::none;
  std::size_t offset = 0;  // of the first byte of the token at fault; the text's size where it ended too early
  std::string field;       // a path such as events[3].labels[0].key, in the spelling of the schema; empty at the top
  std::string message;     // for people: what was expected and what was found. UTF-8, less than 1 KiB
  bool operator==(const JsonFault&) const = default;
};

}  // namespace nissa::wire
