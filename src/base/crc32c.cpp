#include "base/crc32c.hpp"

#include <array>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace nissa {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;

#if defined(__SSE4_2__)

std::uint64_t load(const Byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Tables that advance a CRC over `lane` zero bytes, one a byte of the CRC: how the three streams are joined.
constexpr std::size_t lane = 256;

constexpr std::uint32_t over_zeros(std::uint32_t crc, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes * 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
  return crc;
}

constexpr auto make_shift_table() {
  std::array<std::array<std::uint32_t, 256>, 4> table{};
  // CRC over zeros is linear: the 32 single bits give all entries.
  std::array<std::uint32_t, 32> of_bit{};
  for (unsigned bit = 0; bit < 32; ++bit) of_bit[bit] = over_zeros(std::uint32_t{1} << bit, lane);
  for (unsigned byte = 0; byte < 4; ++byte)
    for (unsigned value = 0; value < 256; ++value) {
      std::uint32_t sum = 0;
      for (unsigned bit = 0; bit < 8; ++bit)
        if ((value >> bit & 1) != 0) sum ^= of_bit[byte * 8 + bit];
      table[byte][value] = sum;
    }
  return table;
}
const auto shift_table = make_shift_table();

std::uint32_t over_lane(std::uint32_t crc) {
  return shift_table[0][crc & 0xff] ^ shift_table[1][crc >> 8 & 0xff] ^ shift_table[2][crc >> 16 & 0xff] ^
         shift_table[3][crc >> 24];
}

#else

constexpr auto byte_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
    table[i] = crc;
  }
  return table;
}();

#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
  const Byte* at = bytes.data();
  std::size_t left = bytes.size();
#if defined(__SSE4_2__)
  std::uint64_t crc = ~before;
  while (left >= 3 * lane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < lane; i += 8) {
      crc = _mm_crc32_u64(crc, load(at + i));
      second = _mm_crc32_u64(second, load(at + lane + i));
      third = _mm_crc32_u64(third, load(at + 2 * lane + i));
    }
    crc = over_lane(over_lane(static_cast<std::uint32_t>(crc)) ^ static_cast<std::uint32_t>(second)) ^
          static_cast<std::uint32_t>(third);
    at += 3 * lane;
    left -= 3 * lane;
  }
  for (; left >= 8; at += 8, left -= 8) crc = _mm_crc32_u64(crc, load(at));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left != 0; ++at, --left) narrow = _mm_crc32_u8(narrow, *at);
  return ~narrow;
#else
  std::uint32_t crc = ~before;
  for (; left != 0; ++at, --left) crc = (crc >> 8) ^ byte_table[(crc ^ *at) & 0xff];
  return ~crc;
#endif
}

}  // namespace nissa
