// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace nissa {

// How many bytes the character has that a text begins with; 0 where there is none, or it is not well-formed.
std::size_t utf8_sequence(ByteView text);

// Any text; byte by byte.
bool valid_utf8_slow(ByteView text);

// ASCII, which nearly all names are, eight bytes at a time: about 1 ns for a name.
inline bool valid_utf8(ByteView text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  const Byte* at = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    seen |= word;
  }
  for (; left != 0; ++at, --left) seen |= *at;
  return (seen & high_bits) == 0 || valid_utf8_slow(text);
}

}  // namespace nissa
