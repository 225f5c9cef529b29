// Lines of key=value, or of JSON, on standard error. Rate-limited by place, with the number left out: a log line must
// never become the load, nor wait for whoever reads it. So for what may come with every batch say log_rarely(), and
// nothing at all for an event.
#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

namespace nissa {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
inline constexpr std::array<std::string_view, 4> log_level_names{"debug", "info", "warning", "error"};
constexpr std::string_view name_of(LogLevel level) { return log_level_names[static_cast<std::size_t>(level)]; }
std::optional<LogLevel> log_level_named(std::string_view name);

enum class LogFormat : std::uint8_t { text, json };

// A number or a text that a program may want to read; it is a view, so it costs nothing where no line is written. The
// key is a word of letters and underscores, and none that each line has: time, level, component, msg, place,
// suppressed.
struct LogField {
  LogField(std::string_view the_key, std::string_view value) : key(the_key), text(value) {}
  template <std::integral Integer>
  LogField(std::string_view the_key, Integer value)
      : key(the_key),
        number(std::in_range<std::int64_t>(value) ? static_cast<std::int64_t>(value)
                                                  : std::numeric_limits<std::int64_t>::max()),
        is_number(true) {}
  std::string_view key;
  std::string_view text;
  std::int64_t number = 0;
  bool is_number = false;
};
using LogFields = std::initializer_list<LogField>;

// Any thread; one write(2) a line. `component` is the room's name; `message` may hold anything: it is quoted. Of one
// place five lines at once, then one a second.
void log(LogLevel level, std::string_view component, std::string_view message, LogFields fields = {},
         std::source_location where = std::source_location::current());
// Of one place one line in ten seconds: for what may come with every batch or connection. 0.1 µs where it is left out.
void log_rarely(LogLevel level, std::string_view component, std::string_view message, LogFields fields = {},
                std::source_location where = std::source_location::current());

// Any thread, at any time.
void set_log_level(LogLevel least);
LogLevel log_level();
void set_log_format(LogFormat format);
// For tests: every place may write again.
void forget_log_rates();

}  // namespace nissa
