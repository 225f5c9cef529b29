// Numbers and absences as JSON has them.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace nissa::admin {

// The shortest decimal that reads back as the same number. JSON has no infinity and no NaN: they become null.
void append_number(std::string& out, double value);
void append_number(std::string& out, std::int64_t value);
void append_number(std::string& out, std::uint64_t value);
// null where there is none.
void append_number(std::string& out, const std::optional<double>& value);
inline const char* json_bool(bool value) { return value ? "true" : "false"; }

// Of an epoch or a state's id: 16 hexadecimal digits in quotes, for a JSON number holds only 53 bits of it.
std::string hex_quoted(std::uint64_t number);

}  // namespace nissa::admin
