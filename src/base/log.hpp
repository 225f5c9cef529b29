// Lines of key=value on standard error. Rate-limited by place (one a second, with the number suppressed): a log line
// must never become the load.
#pragma once
#include <source_location>
#include <string>
#include <string_view>

namespace nissa {

enum class LogLevel { debug, info, warning, error };

// Any thread; one write(2) a line. `component` is the room's name; `message` may hold anything: it is quoted.
void log(LogLevel level, std::string_view component, std::string_view message,
         std::source_location where = std::source_location::current());
void set_log_level(LogLevel least);

// A value as it stands in a log line: quoted and escaped where it holds spaces, quotes or control characters.
std::string log_value(std::string_view raw);

}  // namespace nissa
