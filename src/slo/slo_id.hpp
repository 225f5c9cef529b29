// The permanent number of an SLO: given by a DEFINE record, never reused.
#pragma once
#include <cstdint>

namespace nissa::slo {

using SloId = std::uint32_t;

// SLOs are kept in blocks of 256: one block's lane is one SLO (block.hpp).
inline constexpr std::uint32_t block_lanes = 256;
constexpr std::uint32_t block_of(SloId slo) { return slo / block_lanes; }
constexpr std::uint32_t lane_of(SloId slo) { return slo % block_lanes; }

}  // namespace nissa::slo
