// One HTTP request, on a connection of its own: for tools, tests and deliveries.
#pragma once
#include <cstdint>
#include <string>

#include "async/strand.hpp"
#include "async/timer.hpp"
#include "base/result.hpp"
#include "net/http_types.hpp"

namespace nissa::net {

struct HttpCall {
  std::string host;
  std::uint16_t port = 80;
  std::string method = "GET";
  std::string target = "/";
  HttpHeaders headers = {};  // beside Host, Content-Length and Connection
  std::string body = {};
  std::size_t max_response = 64 * 1024 * 1024;
};

// Awaited on `strand`. A response of any status is a result; a failure says what did not work, host and port.
Task<Result<HttpResponse>> http_fetch(Strand strand, Timers& timers, HttpCall call, BootNs deadline);

}  // namespace nissa::net
