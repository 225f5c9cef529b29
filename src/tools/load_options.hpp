// The load generator's command line.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/priority.hpp"
#include "tools/arguments.hpp"
#include "tools/http_tunnel.hpp"
#include "tools/load_plan.hpp"

namespace nissa::tools {

struct LoadOptions {
  LoadShape shape;
  std::string host = "127.0.0.1";
  std::uint16_t port = 7440;
  std::optional<HttpBody> http = {};  // nothing: the protocol over TCP
  std::string admin_host = "127.0.0.1";
  std::uint16_t admin_port = 7442;
  bool check_slos = true;
  std::string token;
  std::uint64_t events_per_s = 0;  // 0: as fast as answers allow
  std::uint32_t connections = 1;
  std::uint32_t depth = 64;  // batches outstanding a connection
  bool one_by_one = false;   // each batch in a write of its own
  std::uint64_t warmup_s = 2, measure_s = 10, drain_s = 60;
  std::uint64_t most_batches = 0;                                // 0: by time
  std::array<std::uint32_t, priority_count> shares{0, 1, 0, 0};  // of the connections, by class
  std::int64_t pid = 0;                                          // of the server, for its cost; 0: none
  bool print_config = false;
  bool help = false;
};

LoadOptions load_options(Arguments& arguments);
// The class of each connection: shares dealt out evenly, each class with a share getting at least one.
std::vector<Priority> classes_of(const LoadOptions& options);
std::string load_help();

}  // namespace nissa::tools
