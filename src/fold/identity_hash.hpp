// The hash of the memory of identities. Seeded, because an attacker who knows the buckets can make one long chain of
// them; not cryptographic, because a hit is compared byte by byte.
// Words of 16 bytes are multiplied to 128 bits and folded, in two lanes that do not wait for each other: about 6 ns for
// 100 bytes, less when calls overlap.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace nissa::fold {

// Drawn from the operating system at start; the results never leave the process.
struct HashSeed {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
};

class IdentityHash {
 public:
  explicit IdentityHash(HashSeed seed)
      : start_{spread(seed.first + 1), spread(seed.second + 2)},
        lane_{spread(seed.first ^ ~seed.second) | 1, spread(seed.second - seed.first) | 1} {}

  std::uint64_t operator()(ByteView bytes) const {
    const Byte* at = bytes.data();
    const std::size_t size = bytes.size();
    std::uint64_t a = start_[0] ^ (size * lane_[0]);  // times a secret: else a word could make up for the size
    std::uint64_t b = start_[1];
    if (size >= 32) {
      const Byte* const last = at + size - 32;
      for (; at < last; at += 32) round(at, a, b);
      round(last, a, b);  // may overlap what was mixed before: harmless, the size is mixed in
    } else if (size >= 16) {
      a = fold(a ^ load(at), load(at + 8) ^ lane_[0]);
      b = fold(b ^ load(at + size - 16), load(at + size - 8) ^ lane_[1]);
    } else if (size > 0) {
      Byte padded[16] = {};
      std::memcpy(padded, at, size);
      a = fold(a ^ load(padded), load(padded + 8) ^ lane_[0]);
    }
    return fold(a ^ lane_[1], b ^ lane_[0]);
  }

 private:
  static std::uint64_t load(const Byte* at) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  static std::uint64_t fold(std::uint64_t x, std::uint64_t y) {
    const auto product = static_cast<__uint128_t>(x) * y;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  // Makes a seed of few bits (in tests) as good as any.
  static std::uint64_t spread(std::uint64_t x) {
    for (int i = 0; i < 3; ++i) x = fold(x ^ 0x9E3779B97F4A7C15ULL, 0xD1342543DE82EF95ULL) + x;
    return x;
  }
  void round(const Byte* at, std::uint64_t& a, std::uint64_t& b) const {
    a = fold(a ^ load(at), load(at + 8) ^ lane_[0]);
    b = fold(b ^ load(at + 16), load(at + 24) ^ lane_[1]);
  }

  std::uint64_t start_[2];
  std::uint64_t lane_[2];
};

}  // namespace nissa::fold
