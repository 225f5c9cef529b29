// "1 event", "2 events": how many of what, for people. `one` is the word for one, `many` for any other number.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace nissa::tools {

inline std::string amount(std::uint64_t number, std::string_view one, std::string_view many) {
  return std::to_string(number) + ' ' + std::string(number == 1 ? one : many);
}

inline std::string events_text(std::uint64_t number) { return amount(number, "event", "events"); }

}  // namespace nissa::tools
