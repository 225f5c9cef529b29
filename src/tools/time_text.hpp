// Times as logs write them. Pure; no time zone database: what is parsed bears its offset.
#pragma once
#include <optional>
#include <string_view>

#include "base/time_types.hpp"

namespace nissa::tools {

// RFC 3339: "2025-06-15T13:46:40Z", "2025-06-15t15:46:40.123456789+02:00"; a space may stand for the T. At most nine
// digits of a second are kept.
std::optional<UnixNs> parse_rfc3339(std::string_view text);
// nginx's $time_local: "15/Jun/2025:15:46:40 +0200".
std::optional<UnixNs> parse_time_local(std::string_view text);

}  // namespace nissa::tools
