#include "app/descriptors.hpp"

#include <algorithm>
#include <string>

#include "base/descriptor_limit.hpp"
#include "base/log.hpp"

namespace nissa::app {
namespace {

constexpr std::uint64_t least_reserve = 32;  // about 12 at rest, and some for the pages

}  // namespace

std::uint32_t connections_within(std::uint64_t limit, std::uint32_t configured) {
  const std::uint64_t reserve = std::max(least_reserve, limit / 10);
  const std::uint64_t borne = limit > reserve ? limit - reserve : 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(borne, configured));
}

ingest::Options within(std::uint64_t limit, ingest::Options options) {
  options.max_connections = connections_within(limit, options.max_connections);
  // Both doors share what there is; HTTP gets a quarter of it at most.
  options.max_http_connections = std::min(options.max_http_connections, std::max(1u, options.max_connections / 4));
  return options;
}

ingest::Options within_descriptor_limit(const ingest::Options& options) {
  const std::uint64_t limit = raise_descriptor_limit();
  const ingest::Options borne = within(limit, options);
  if (borne.max_connections < options.max_connections) {
    log(LogLevel::warning, "app",
        "max_connections is " + std::to_string(options.max_connections) + ", but the limit of " +
            std::to_string(limit) + " file descriptors bears " + std::to_string(borne.max_connections) +
            " connections of agents: these are taken; for more, raise the limit (LimitNOFILE=, ulimit -n)");
  }
  return borne;
}

}  // namespace nissa::app
