// The body of a POST. Pure. The only user of Boost.JSON in this room.
#pragma once
#include <expected>
#include <map>
#include <string>

#include "net/http_types.hpp"

namespace nissa::admin {

// What a POST to the operators' door may have in its body; more is refused before it is read.
inline constexpr std::size_t most_body_bytes = 4096;

using JsonTexts = std::map<std::string, std::string>;

// One JSON object, all of whose values are texts. Else an answer that says what is wrong: 415 without the content type
// application/json (which also keeps a page of another site from asking in an operator's name), or 400.
std::expected<JsonTexts, net::HttpResponse> read_json_texts(const net::HttpRequest& request);

}  // namespace nissa::admin
