// The class of a batch. Numbers as on the wire.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace nissa {

enum class Priority : std::uint8_t { low = 1, normal = 2, high = 3, critical = 4 };

inline constexpr std::array all_priorities{Priority::low, Priority::normal, Priority::high, Priority::critical};
inline constexpr std::size_t priority_count = all_priorities.size();

constexpr bool is_priority(std::uint64_t number) { return number >= 1 && number <= priority_count; }
constexpr std::size_t index_of(Priority priority) { return static_cast<std::size_t>(priority) - 1; }

constexpr std::string_view name_of(Priority priority) {
  switch (priority) {
    case Priority::low:
      return "low";
    case Priority::normal:
      return "normal";
    case Priority::high:
      return "high";
    case Priority::critical:
      return "critical";
  }
  return "unknown";
}

}  // namespace nissa
