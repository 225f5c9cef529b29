// The other way: a message's canonical bytes → its JSON in protobuf's mapping, by the tables of schema.hpp, with the
// names of the schema, enums by name, 64-bit integers as texts of their digits, what is absent left out. Pure.
#pragma once
#include <string>

#include "base/bytes.hpp"
#include "wire/schema.hpp"

namespace nissa::wire {

// `message` is canonical (canonical_walk.hpp) and without unknown fields: what we wrote ourselves.
std::string print_json(const MessageRule& rule, ByteView message);

}  // namespace nissa::wire
