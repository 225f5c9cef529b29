#include "base/hex_text.hpp"

#include <array>
#include <charconv>

namespace nissa {

std::string hex_text(std::uint64_t number) {
  std::array<char, 16> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  return std::string(digits.size() - size, '0').append(digits.data(), size);
}

}  // namespace nissa
