#include "app/descriptors.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <string>

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

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return no_descriptor_limit;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  // "Infinity" may be more than the kernel's fs.nr_open lets anybody have: then the old one stays.
  if (limit.rlim_cur != limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur == RLIM_INFINITY ? no_descriptor_limit : limit.rlim_cur;
}

ingest::Options within_descriptor_limit(ingest::Options options) {
  const std::uint64_t limit = raise_descriptor_limit();
  const std::uint32_t borne = connections_within(limit, options.max_connections);
  if (borne < options.max_connections) {
    log(LogLevel::warning, "app",
        "max_connections is " + std::to_string(options.max_connections) + ", but the limit of " +
            std::to_string(limit) + " file descriptors bears " + std::to_string(borne) +
            " connections of agents: these are taken; for more, raise the limit (LimitNOFILE=, ulimit -n)");
  }
  options.max_connections = borne;
  return options;
}

}  // namespace nissa::app
