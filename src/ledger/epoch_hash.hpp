// A seeded hash of an epoch: epochs come from outside, and nobody there shall choose the buckets.
#pragma once
#include <cstddef>
#include <cstdint>

#include "base/batch_key.hpp"

namespace nissa::ledger {

struct EpochHash {
  using is_avalanching = void;  // boost::unordered need not mix once more
  std::uint64_t seed = 0;
  std::size_t operator()(Epoch epoch) const {
    const auto wide = static_cast<unsigned __int128>(epoch ^ seed) * 0x9E3779B97F4A7C15ULL;
    return static_cast<std::size_t>(static_cast<std::uint64_t>(wide >> 64) ^ static_cast<std::uint64_t>(wide));
  }
};

}  // namespace nissa::ledger
