// A line of nginx's access log → an event. The format brings the request's time, which nginx's own formats do not:
//
//   log_format nissa '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
//                    '"$http_referer" "$http_user_agent" rt=$request_time';
//
// The outcome by status: 499 CANCELLED, other 4xx CLIENT_ERROR, 504 TIMEOUT, other 5xx ERROR, else OK.
#pragma once
#include "tools/line_event.hpp"
#include "tools/operation_names.hpp"

namespace nissa::tools {

// Pure; about 1 µs without rules. A failure says what is missing, by the name it has in log_format.
Result<LineEvent> parse_access_line(std::string_view line, const OperationNames& names);

// Whether it is meant as one: [$time_local] "$request" stands in it, readable or not.
bool looks_like_access_line(std::string_view line);

// 100 … 599.
agent::Outcome outcome_of_status(int status);

}  // namespace nissa::tools
