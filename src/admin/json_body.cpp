#include "admin/json_body.hpp"

#include <boost/json/parse.hpp>

namespace nissa::admin {
namespace {

namespace json = boost::json;

std::unexpected<net::HttpResponse> refused(const std::string& message) {
  return std::unexpected(net::http_error(400, "bad_body", message, "send one object of texts, {\"key\": \"value\"}"));
}

}  // namespace

std::expected<JsonTexts, net::HttpResponse> read_json_texts(const net::HttpRequest& request) {
  if (net::media_type(request.header("Content-Type")) != "application/json")
    return std::unexpected(net::http_error(415, "not_json", "the body of this request must be JSON",
                                           "send the header Content-Type: application/json"));
  boost::system::error_code error;
  const json::value value = json::parse(request.body, error);
  if (error) return refused("the body is no JSON: " + error.message());
  const auto* object = value.if_object();
  if (object == nullptr) return refused("the body is no object");
  JsonTexts texts;
  for (const auto& [key, one] : *object) {
    const auto* text = one.if_string();
    if (text == nullptr) return refused("\"" + std::string(key) + "\" is no text");
    texts.emplace(std::string(key), std::string(text->data(), text->size()));
  }
  return texts;
}

}  // namespace nissa::admin
