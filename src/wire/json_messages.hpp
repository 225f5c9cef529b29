// What the HTTP door says and hears beside batches, as JSON in protobuf's mapping with the names of the schema. Pure.
#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "wire/json_fault.hpp"
#include "wire/messages.hpp"

namespace nissa::wire {

// Of exactly the fields that encode() writes. Texts must be UTF-8.
std::string json_of(const Ack& message);
std::string json_of(const HelloAck& message);

// As decode_goodbye() is strict: the epoch is there and not 0.
std::expected<Goodbye, JsonFault> goodbye_from_json(std::string_view text);

}  // namespace nissa::wire
