#include <doctest/doctest.h>

#include "async/coroutine.hpp"
#include "net/http_routes.hpp"
#include "net/http_types.hpp"
#include "net/http_writer.hpp"

using namespace nissa::net;

namespace {

std::vector<HttpRoute> some_routes() {
  return {{.method = "GET", .pattern = "/", .handle = {}},
          {.method = "GET", .pattern = "/api/v2/slos", .handle = {}},
          {.method = "GET", .pattern = "/api/v2/epochs/{epoch}", .handle = {}},
          {.method = "GET", .pattern = "/api/v2/slos/{name...}", .handle = {}},
          {.method = "POST", .pattern = "/api/v2/slos", .handle = {}},
          {.method = "GET", .pattern = "/api/v2/events/{epoch}/{request_id}", .handle = {}}};
}

std::string pattern_for(std::string_view method, std::string_view path) {
  const auto routes = some_routes();
  const auto match = match_route(routes, method, path);
  return match.route ? match.route->pattern : "allow: " + match.allow;
}

}  // namespace

TEST_CASE("a path finds its route, and a method that does not fit is told which would") {
  CHECK(pattern_for("GET", "/") == "/");
  CHECK(pattern_for("GET", "/api/v2/slos") == "/api/v2/slos");
  CHECK(pattern_for("HEAD", "/api/v2/slos") == "/api/v2/slos");
  CHECK(pattern_for("GET", "/api/v2/slos/checkout") == "/api/v2/slos/{name...}");
  CHECK(pattern_for("GET", "/api/v2/epochs/7") == "/api/v2/epochs/{epoch}");
  CHECK(pattern_for("DELETE", "/api/v2/slos") == "allow: GET, HEAD, POST");
  for (const auto* nowhere : {"/api/v2/slos/", "/api/v2/epochs/", "/api/v2/epochs/7/8", "/api/v2", "", "api/v2/slos",
                              "//", "/api/v2/slos/%zz", "/api/v2/slos/a/%zz"})
    CHECK(pattern_for("GET", nowhere) == "allow: ");
}

TEST_CASE("segments are split before they are decoded, so a name may hold a slash") {
  const auto routes = some_routes();
  const auto match = match_route(routes, "GET", "/api/v2/events/7/a%2Fb%20c");
  REQUIRE(match.route);
  CHECK(match.parameters[0].second == "7");
  CHECK(match.parameters[1].second == "a/b c");
}

TEST_CASE("a pattern may take the rest of the path, and a slash in it is one however it was sent") {
  const auto routes = some_routes();
  for (const auto* path :
       {"/api/v2/slos/shop/checkout:av", "/api/v2/slos/shop%2Fcheckout:av", "/api/v2/slos/shop%2fcheckout%3Aav"}) {
    const auto match = match_route(routes, "GET", path);
    REQUIRE(match.route);
    CHECK(match.parameters == std::vector<std::pair<std::string, std::string>>{{"name", "shop/checkout:av"}});
  }
  CHECK(match_route(routes, "GET", "/api/v2/slos//a//").parameters[0].second == "/a//");
  CHECK(pattern_for("POST", "/api/v2/slos/a/b") == "allow: GET, HEAD");
}

TEST_CASE("the query's values are found by name and decoded") {
  const HttpRequest request{.query = "service=shop&operation=GET+%2Fcart&empty=&bare&bad=%4"};
  CHECK(request.query_value("service") == "shop");
  CHECK(request.query_value("operation") == "GET /cart");
  CHECK(request.query_value("empty") == "");
  CHECK(request.query_value("bare") == "");
  CHECK(request.query_value("bad") == "%4");
  CHECK(!request.query_value("missing"));
}

TEST_CASE("headers are found whatever their case") {
  const HttpHeaders headers{{"Content-Type", "text/plain"}, {"X-A", "1"}};
  CHECK(find_header(headers, "content-TYPE") == "text/plain");
  CHECK(find_header(headers, "x-b").empty());
}

TEST_CASE("an error is JSON with a word, a sentence and a hint, all quoted") {
  const auto response = http_error(404, "not_found", "no SLO \"a\\b\"\n", "try\x01");
  CHECK(response.status == 404);
  CHECK(response.body == R"({"error":{"code":"not_found","message":"no SLO \"a\\b\"\n","hint":"try\u0001"}})"
                         "\n");
}

TEST_CASE("a response's head says what HTTP wants said, and line breaks do not get into it") {
  HttpResponse response = http_text("hello");
  response.headers.emplace_back("Retry-After", "1\r\nEvil: yes");
  CHECK(http_response_head(response, 784'111'777LL * nissa::ns_per_s, true) ==
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 5\r\nConnection: keep-alive\r\nRetry-After: 1Evil: yes\r\n\r\n");
}

TEST_CASE("a JSON string is well-formed UTF-8 whatever went in") {
  CHECK(json_quoted("a\"b\\c\n\x01") == R"("a\"b\\c\n\u0001")");
  CHECK(json_quoted("\u00e9\u20ac\U0001f600 \ud7ff\ue000") == "\"\u00e9\u20ac\U0001f600 \ud7ff\ue000\"");
  const std::string instead = "\xef\xbf\xbd";
  CHECK(json_quoted("a\xff"
                    "b") == "\"a" + instead + "b\"");
  CHECK(json_quoted("\xe2\x82") == "\"" + instead + instead + "\"");                // cut off
  CHECK(json_quoted("\xc0\xaf") == "\"" + instead + instead + "\"");                // overlong
  CHECK(json_quoted("\xed\xa0\x80") == "\"" + instead + instead + instead + "\"");  // a surrogate
  CHECK(json_quoted("\xe2\"") == "\"" + instead + "\\\"\"");                        // what follows is not swallowed
}
