// How many files and connections the process may have open.
#pragma once
#include <cstdint>

namespace nissa {

inline constexpr std::uint64_t no_descriptor_limit = ~std::uint64_t{0};

// Raises the soft limit of the process to the hard one, for thousands of connections need as many descriptors; returns
// what then holds.
std::uint64_t raise_descriptor_limit();

}  // namespace nissa
