// The log's level, as it is and as it is to be: /api/v2/log.
#pragma once
#include "net/http_types.hpp"

namespace nissa::admin {

// {"level":"info"}
net::HttpResponse show_log_level();
// POST {"level":"debug"}: sets it until the next change or start, and answers {"level":"debug","was":"info"}. 400 with
// the levels there are, 415.
net::HttpResponse change_log_level(const net::HttpRequest& request);

}  // namespace nissa::admin
