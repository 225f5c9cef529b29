#include "tools/access_log.hpp"

#include <charconv>
#include <cmath>

#include "base/time_types.hpp"
#include "tools/time_text.hpp"

namespace nissa::tools {
namespace {

// What stands before `end`, which is eaten too; nothing if `end` does not come.
bool eat_until(std::string_view& rest, std::string_view end, std::string_view& out) {
  const auto at = rest.find(end);
  if (at == std::string_view::npos) return false;
  out = rest.substr(0, at);
  rest.remove_prefix(at + end.size());
  return true;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// What stands before the "$request", [$time_local] last, which is cut off; nothing if they are not there. $remote_user
// is the client's to choose, brackets too; but no quote, so the first one after a bracket is ours.
bool eat_time(std::string_view& rest, std::string_view& time) {
  if (!eat_until(rest, "] \"", time)) return false;
  const auto time_at = time.rfind(" [");
  if (time_at == std::string_view::npos) return false;
  time.remove_prefix(time_at + 2);
  return true;
}

// "GET /path HTTP/1.1". What a broken client sent is anything, and one operation.
std::string name_of_request(std::string_view request, const OperationNames& names) {
  const auto first = request.find(' ');
  const auto last = request.rfind(' ');
  const bool readable = first != std::string_view::npos && first > 0 && last > first + 1 &&
                        request.substr(last + 1).starts_with("HTTP/") && request.find('\\') > first;
  if (!readable) return "(unreadable request)";
  return names.name(request.substr(0, first), request.substr(first + 1, last - first - 1));
}

}  // namespace

agent::Outcome outcome_of_status(int status) {
  if (status == 499) return agent::Outcome::cancelled;
  if (status == 504) return agent::Outcome::timeout;
  if (status >= 500) return agent::Outcome::error;
  return status >= 400 ? agent::Outcome::client_error : agent::Outcome::ok;
}

bool looks_like_access_line(std::string_view line) {
  std::string_view time;
  return eat_time(line, time);
}

Result<LineEvent> parse_access_line(std::string_view line, const OperationNames& names) {
  std::string_view rest = line, time, request, status, seconds;
  LineEvent event;
  if (!eat_time(rest, time)) return failure("no access log line: [$time_local] \"$request\" is missing (see --help)");
  const auto at = parse_time_local(time);
  if (!at) return failure("[" + std::string(time) + "] is no $time_local");
  // nginx writes a quote inside as \x22, so the next one ends the request.
  if (!eat_until(rest, "\" ", request) || !eat_until(rest, " ", status)) return failure("no \"$request\" $status");
  int code = 0;
  if (!read_number(status, code) || code < 100 || code > 599)
    return failure("'" + std::string(status) + "' is no $status");
  const auto seconds_at = rest.rfind(" rt=");
  if (seconds_at == std::string_view::npos)
    return failure("no request time; log_format needs rt=$request_time at its end (see --help)");
  seconds = rest.substr(seconds_at + 4);
  double duration_s = 0;
  if (!read_number(seconds, duration_s) || !(duration_s >= 0 && duration_s < 1e8))
    return failure("'" + std::string(seconds) + "' is no $request_time");
  event.time_unix_ns = *at;
  event.duration_ns = std::llround(duration_s * 1e9);
  event.outcome = outcome_of_status(code);
  event.operation = name_of_request(request, names);
  return event;
}

}  // namespace nissa::tools
