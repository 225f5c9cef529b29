// What a configuration means, for whoever reads `--check-config`: each SLO in words, what its budget is, what the
// limits come to, and what is hardly meant. Pure.
#pragma once
#include <cstdint>
#include <string>

namespace nissa::config {

struct Config;

// What the machine allows.
struct Surroundings {
  std::uint64_t memory_limit_bytes = 0;
  // Of agents, that the limit of file descriptors bears; at most what is configured.
  std::uint32_t connections = 0;
  std::uint32_t http_connections = 0;
};

// Several lines, the last one with its newline.
std::string explain(const Config& config, const Surroundings& surroundings);

}  // namespace nissa::config
