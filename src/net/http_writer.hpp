// HTTP heads as bytes. Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/time_types.hpp"
#include "net/http_types.hpp"

namespace nissa::net {

// Large bodies are written in pieces of this size, each with its own deadline: slow readers make progress, dead ones
// don't.
inline constexpr std::size_t http_piece_bytes = 64 * 1024;
inline constexpr std::string_view http_continue = "HTTP/1.1 100 Continue\r\n\r\n";

// Status line, Date, Content-Type, Content-Length, Connection, and the response's own headers (line breaks in them are
// dropped: they would end the head early).
std::string http_response_head(const HttpResponse& response, UnixNs now, bool keep_alive);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7).
std::string http_date(UnixNs now);

}  // namespace nissa::net
