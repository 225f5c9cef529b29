// The configuration that holds, as JSON: what /api/v2/config shows. Pure.
#pragma once
#include <string>

#include "base/time_types.hpp"

namespace nissa::config {

struct Config;

// {"file","sha256","loaded_ms","settings":{"state_dir":…,"gate":{…}},"given":["gate.ingest_bytes"],"slos":[…]}:
// settings as they would stand in the file, defaults too; `given` names those that stand there. Secrets are not shown.
// About 300 B an SLO. `loaded_ms`: when the file was read, since 1970.
std::string config_page(const Config& config, UnixMs loaded_ms);

}  // namespace nissa::config
