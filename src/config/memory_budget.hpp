// Memory is bounded by configuration: what the file allows every room to hold, added up, leaves a fifth of the limit to
// code, stacks, sockets and the allocator. Else the file is refused, before the kernel ends the process at a peak.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace nissa::config {

struct Config;

// Rings, running sums and published page of one SLO; docs/performance.md has the measurement. They come in blocks.
inline constexpr std::uint64_t slo_memory_bytes = 20'100;
inline constexpr std::uint64_t slos_in_block = 256;
// Of the memory limit, what may be configured.
inline constexpr std::uint64_t most_memory_percent = 80;

struct MemoryPart {
  std::string name;  // the key that sets it
  std::uint64_t bytes = 0;
};
std::vector<MemoryPart> memory_parts(const Config& config);

// Empty, or what the sum is, of which parts, and what it may be.
std::string memory_problem(const std::vector<MemoryPart>& parts, std::uint64_t limit_bytes);

// What the process may use: the least of physical memory and the limits of its control group and those above it (v2
// and v1). `root` is "/", or a tree that looks like it.
std::uint64_t memory_limit_bytes(const std::string& root = "/");

}  // namespace nissa::config
