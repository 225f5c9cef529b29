// File descriptors: each agent's connection takes one, and the journal, the pages and the log need some beside them.
// The operators' door must open just when too many agents have come, so agents may never take the last ones.
#pragma once
#include <cstdint>

#include "ingest/options.hpp"

namespace nissa::app {

// Pure. How many connections of agents `limit` descriptors bear: `configured`, or what is left beside max(32, 10 %) of
// them, but never none.
std::uint32_t connections_within(std::uint64_t limit, std::uint32_t configured);

// Pure. `options` with as many connections at either door as `limit` descriptors bear.
ingest::Options within(std::uint64_t limit, ingest::Options options);

// The same with the process's limit, which is raised first. One line in the log if they are fewer than configured.
ingest::Options within_descriptor_limit(const ingest::Options& options);

}  // namespace nissa::app
