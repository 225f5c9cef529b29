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

// The name in `known` that is nearest to `given` (edit distance at most a third of its length), or empty.
template <class Names>
std::string_view nearest_name(std::string_view given, const Names& known);
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Names>
std::string_view nearest_name(std::string_view given, const Names& known) {
  std::string_view nearest;
  std::size_t least = given.size() / 3 + 1;
  for (const std::string_view name : known) {
    const std::size_t distance = edit_distance(given, name);
    if (distance <= least && (nearest.empty() || distance < least)) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace nissa::config
