#include "net/http_writer.hpp"

#include <ctime>

namespace nissa::net {
namespace {

void add_header(std::string& out, std::string_view name, std::string_view value) {
  const auto append = [&out](std::string_view text) {
    for (const char c : text)
      if (c != '\r' && c != '\n') out += c;
  };
  append(name);
  out += ": ";
  append(value);
  out += "\r\n";
}

}  // namespace

std::string http_date(UnixNs now) {
  const std::time_t seconds = now / ns_per_s;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

std::string http_response_head(const HttpResponse& response, UnixNs now, bool keep_alive) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  add_header(out, "Date", http_date(now));
  add_header(out, "Content-Type", response.content_type);
  add_header(out, "Content-Length", std::to_string(response.body.size()));
  add_header(out, "Connection", keep_alive ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers) add_header(out, name, value);
  return out += "\r\n";
}

}  // namespace nissa::net
