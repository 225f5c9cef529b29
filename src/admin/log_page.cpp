#include "admin/log_page.hpp"

#include <algorithm>

#include "admin/json_body.hpp"
#include "base/log.hpp"

namespace nissa::admin {

net::HttpResponse show_log_level() { return net::http_json("{\"level\":" + json_quoted(name_of(log_level())) + "}\n"); }

net::HttpResponse change_log_level(const net::HttpRequest& request) {
  const auto body = read_json_texts(request);
  if (!body) return body.error();
  constexpr const char* hint = "send {\"level\": \"debug\"}, or info, warning, error";
  const auto given = body->find("level");
  if (given == body->end() || body->size() != 1)
    return net::http_error(400, "bad_body", "expected one key, level, and no other", hint);
  const auto level = log_level_named(given->second);
  if (!level) return net::http_error(400, "unknown_level", "there is no level " + given->second, hint);
  const LogLevel was = log_level();
  set_log_level(std::min({was, *level, LogLevel::info}));  // for the one line that says so
  log(LogLevel::info, "admin", "the log level is changed",
      {{"to", name_of(*level)}, {"was", name_of(was)}, {"by", request.peer.text}});
  set_log_level(*level);
  return net::http_json("{\"level\":" + json_quoted(name_of(*level)) + ",\"was\":" + json_quoted(name_of(was)) + "}\n");
}

}  // namespace nissa::admin
