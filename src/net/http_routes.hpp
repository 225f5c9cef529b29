// Routes as a table: method, pattern, handler. Matching is pure.
#pragma once
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "net/http_types.hpp"

namespace nissa::net {

// What a request was admitted with, before its body is read.
struct HttpAdmission {
  std::size_t max_body = 0;                      // bytes; a body that turns out to be longer is refused with 413
  std::shared_ptr<void> held;                    // kept with the request until it is handled
  std::function<HttpResponse()> too_large = {};  // says that 413 in other words than the server's own
};

struct HttpRoute {
  std::string method;  // "GET" serves HEAD too
  // "/api/v2/epochs/{epoch}": a segment in braces matches any one that is not empty. "/api/v2/slos/{name...}": at the
  // end, what is left of the path with all its slashes, if that is not empty.
  std::string pattern;
  // Awaited on the connection's strand. A handler that throws has broken an expectation: violation, 500.
  std::function<Task<HttpResponse>(HttpRequest)> handle;
  std::size_t max_body = 0;  // bytes; more is refused with 413 before they are read
  // If set: asked when the head has come and the body has not, and says what max_body is. An answer refuses, and the
  // body is not read. Where the client said Expect: 100-continue, it is told to go on only after this.
  std::function<Task<std::expected<HttpAdmission, HttpResponse>>(const HttpRequest&)> on_head = {};
};

struct RouteMatch {
  const HttpRoute* route = nullptr;  // null: 405 if `allow` says what would do, else 404
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string allow;  // "GET, HEAD, POST"
};

// `raw_path` is as sent: segments are split first and decoded then. The first route that fits.
RouteMatch match_route(const std::vector<HttpRoute>& routes, std::string_view method, std::string_view raw_path);

}  // namespace nissa::net
