// The operators' door.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace nissa::admin {

struct Options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7442;  // 0: any free one
  bool all_windows = false;   // `slo_windows = "all"`: coverage of all eight windows on /metrics, not of 30d alone
  std::uint32_t max_connections = 64;
  std::size_t answer_bytes = std::size_t{32} << 20;  // pages that wait for their readers; beyond, 503
};

}  // namespace nissa::admin
