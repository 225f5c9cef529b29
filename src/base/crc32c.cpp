#include "base/crc32c.hpp"

#include <array>

#if defined(__SSE4_2__)
#include <immintrin.h>
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

std::uint64_t by_three_streams(ByteView& bytes, std::uint64_t crc) {
  for (; bytes.size() >= 3 * lane; bytes = bytes.subspan(3 * lane)) {
    const Byte* const at = bytes.data();
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < lane; i += 8) {
      crc = _mm_crc32_u64(crc, load(at + i));
      second = _mm_crc32_u64(second, load(at + lane + i));
      third = _mm_crc32_u64(third, load(at + 2 * lane + i));
    }
    crc = over_lane(over_lane(static_cast<std::uint32_t>(crc)) ^ static_cast<std::uint32_t>(second)) ^
          static_cast<std::uint32_t>(third);
  }
  return crc;
}

// By carry-less multiplication (Gopal and others, Fast CRC Computation Using PCLMULQDQ, Intel 2009), in vectors of 64
// bytes: what is in hand is multiplied by x^2048 mod P and added to the next 256 bytes, so that these have the CRC of
// all before them. Three times as fast as the streams, on processors of 2019 and later.
constexpr std::size_t stride = 256;
const bool can_fold = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");

// x^power mod P, in the order of bits that a multiplication of reflected numbers wants.
constexpr std::int64_t power_of_x(unsigned power) {
  std::uint32_t bits = std::uint32_t{1} << 31;
  for (unsigned i = 0; i < power; ++i) bits = (bits >> 1) ^ ((bits & 1) != 0 ? polynomial : 0);
  return static_cast<std::int64_t>(std::uint64_t{bits} << 1);
}

[[gnu::target("avx512f,vpclmulqdq")]] std::uint64_t by_folding(ByteView& bytes, std::uint64_t crc) {
  constexpr std::int64_t of_low = power_of_x(stride * 8 + 32);
  constexpr std::int64_t of_high = power_of_x(stride * 8 - 32);
  const __m512i factors = _mm512_set4_epi64(of_high, of_low, of_high, of_low);
  std::array<__m512i, 4> hand;
  for (std::size_t i = 0; i < hand.size(); ++i) hand[i] = _mm512_loadu_si512(bytes.data() + i * 64);
  hand[0] = _mm512_xor_si512(hand[0], _mm512_zextsi128_si512(_mm_cvtsi64_si128(static_cast<std::int64_t>(crc))));
  for (bytes = bytes.subspan(stride); bytes.size() >= stride; bytes = bytes.subspan(stride))
    for (std::size_t i = 0; i < hand.size(); ++i) {
      const __m512i low = _mm512_clmulepi64_epi128(hand[i], factors, 0x00);
      const __m512i high = _mm512_clmulepi64_epi128(hand[i], factors, 0x11);
      constexpr int all_added = 0x96;
      hand[i] = _mm512_ternarylogic_epi64(low, high, _mm512_loadu_si512(bytes.data() + i * 64), all_added);
    }
  std::array<Byte, stride> last;
  std::memcpy(last.data(), hand.data(), stride);
  crc = 0;
  for (std::size_t i = 0; i < stride; i += 8) crc = _mm_crc32_u64(crc, load(last.data() + i));
  return crc;
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

#if defined(__SSE4_2__)

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) {
  if (can_fold && bytes.size() >= 4 * stride) before = ~static_cast<std::uint32_t>(by_folding(bytes, ~before));
  return crc32c_by_streams(bytes, before);
}

std::uint32_t crc32c_by_streams(ByteView bytes, std::uint32_t before) {
  std::uint64_t crc = by_three_streams(bytes, ~before);
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) crc = _mm_crc32_u64(crc, load(bytes.data()));
  auto narrow = static_cast<std::uint32_t>(crc);
  for (const Byte byte : bytes) narrow = _mm_crc32_u8(narrow, byte);
  return ~narrow;
}

#else

std::uint32_t crc32c(ByteView bytes, std::uint32_t before) { return crc32c_by_streams(bytes, before); }

std::uint32_t crc32c_by_streams(ByteView bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (const Byte byte : bytes) crc = (crc >> 8) ^ byte_table[(crc ^ byte) & 0xff];
  return ~crc;
}

#endif

}  // namespace nissa
