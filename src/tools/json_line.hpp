// A line of JSON → an event. One object a line, with these keys and no others,
// each once:
//
//   time         "2025-06-15T13:46:40.5Z" (RFC 3339), or seconds since 1970 as a number; absent: the line says none
//   duration_ms  a number ≥ 0; or
//   duration_s   a number ≥ 0; at most one of both; absent: unknown
//   outcome      "OK" (absent means it), "ERROR", "TIMEOUT", "CLIENT_ERROR", "CANCELLED"
//   service      text; absent: --service
//   operation    text
//   labels       an object of texts
//   request_id   text
#pragma once
#include "tools/line_event.hpp"

namespace nissa::tools {

// Pure; about 1 µs. A failure says which key, and what was expected.
Result<LineEvent> parse_json_line(std::string_view line);

}  // namespace nissa::tools
