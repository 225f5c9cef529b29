// A 64-bit hash of canonical bytes, for comparing states: equal states have equal hashes; different ones differ but for
// one pair in 2^64. Not against an adversary: nobody from outside chooses both states.
#pragma once
#include <cstdint>

#include "base/bytes.hpp"

namespace nissa::ledger {

class StateHash {
 public:
  void add(std::uint64_t word) {
    // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): each step is a bijection of the state for a given word.
    std::uint64_t mixed = (value_ ^ word) + 0x9E3779B97F4A7C15ULL;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBULL;
    value_ = mixed ^ mixed >> 31;
  }
  // The length first, so that what stands side by side cannot trade bytes.
  void add(ByteView bytes) {
    add(bytes.size());
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) add(ByteReader(bytes).fixed<std::uint64_t>());
    std::uint64_t rest = 0;
    for (const Byte byte : bytes) rest = rest << 8 | byte;
    add(rest);
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

}  // namespace nissa::ledger
