// What the schema says of a field in JSON: its two spellings, what its value may be, which one was meant. Pure.
#pragma once
#include <string>
#include <string_view>

#include "wire/schema.hpp"

namespace nissa::wire {

// Whether `key` is `name`, or that in lowerCamelCase.
bool names_field(std::string_view key, std::string_view name);
// What a value of the field's type looks like, in words that go on from "expected".
std::string json_expectation(const FieldRule& field);
// For who named a field that is none: the nearest one, or all.
std::string unknown_field_message(const MessageRule& rule, std::string_view key);

}  // namespace nissa::wire
