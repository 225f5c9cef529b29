// HTTP messages as values: what handlers take and return. No Beast here. Pure.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/byte_stream.hpp"
#include "base/json_quoted.hpp"

namespace nissa::net {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, whatever its case; "" if there is none.
std::string_view find_header(const HttpHeaders& headers, std::string_view name);
std::size_t count_headers(const HttpHeaders& headers, std::string_view name);

std::string lower_case(std::string_view text);  // of ASCII
// "Application/JSON; charset=utf-8" → "application/json": as types and codings are compared.
std::string media_type(std::string_view value);

struct HttpRequest {
  std::string method;  // "GET"; a HEAD reaches GET's handler and stays "HEAD" here
  std::string path;    // decoded, without the query
  std::string query;   // as sent, without '?'
  HttpHeaders headers;
  std::string body;
  std::vector<std::pair<std::string, std::string>> parameters;  // the {name} segments of the route's pattern, decoded
  PeerAddress peer;
  std::shared_ptr<void> held;  // what its route's on_head took for it; goes back when the request ends

  std::string_view header(std::string_view name) const { return find_header(headers, name); }
  // What stands where the pattern says {name}; "" if it does not.
  std::string_view parameter(std::string_view name) const;
  // The first value of the query's `name`, decoded, or as sent where it cannot be decoded; nothing if it is not there.
  std::optional<std::string> query_value(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  HttpHeaders headers;  // beside Content-Type, Content-Length, Date and Connection, which the server writes
};

HttpResponse http_json(std::string body, unsigned status = 200);
HttpResponse http_text(std::string body, unsigned status = 200);
// {"error":{"code","message","hint"}}: a word for programs, a sentence for people, what to do about it.
HttpResponse http_error(unsigned status, std::string_view code, std::string_view message, std::string_view hint);

using nissa::json_quoted;
// %XX undone ('+' too, if asked for); nothing if it is not well-formed.
std::optional<std::string> percent_decoded(std::string_view raw, bool plus_is_space = false);

std::string_view reason_phrase(unsigned status);

}  // namespace nissa::net
