// Quantities with their units, as people write them. Pure. An error says what was expected, with an example.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace nissa::config {

// "250us", "5ms", "30s", "10 min", "6h", "30d": a whole number and a unit, at most 100 years. In nanoseconds.
Result<std::int64_t> parse_duration_ns(std::string_view text);
// "512 B", "64 KiB", "64 MiB", "1 GiB": a whole number and a binary unit. In bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);

// The shortest exact form that the parsers read back.
std::string format_duration(std::int64_t ns);
std::string format_bytes(std::uint64_t bytes);
// To the nearest whole unit of which there are at least 10: for people, not to be read back.
std::string format_bytes_roughly(std::uint64_t bytes);

}  // namespace nissa::config
