// Protobuf's variable-length integers, read strictly: the one shortest form of each number and no other.
// (https://protobuf.dev/programming-guides/encoding: seven bits a byte, least first, the top bit says "more".)
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/refusal.hpp"

namespace nissa::wire {

inline constexpr std::size_t max_varint_size = 10;

// Moves `at` behind the number. Otherwise `at` stays: truncated, varint_not_minimal, or value_out_of_range (> 64 bits).
inline Reason read_varint(const Byte*& at, const Byte* end, std::uint64_t& value) {
  if (at != end && *at < 0x80) {
    value = *at++;
    return Reason::none;
  }
  std::uint64_t sum = 0;
  const Byte* next = at;
  for (unsigned shift = 0; shift < 7 * max_varint_size; shift += 7) {
    if (next == end) return Reason::truncated;
    const Byte byte = *next++;
    if (shift == 63 && byte > 1) return Reason::value_out_of_range;
    sum |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      if (byte == 0) return Reason::varint_not_minimal;
      at = next;
      value = sum;
      return Reason::none;
    }
  }
  return Reason::value_out_of_range;
}

constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// The lowest three bits of a tag. 3 and 4 are groups, which Nissa never takes; 6 and 7 do not exist.
enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr Byte tag_of(unsigned number, WireType type) {  // numbers up to 15: one byte
  return static_cast<Byte>(number << 3 | static_cast<unsigned>(type));
}

}  // namespace nissa::wire
