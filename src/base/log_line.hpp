// What a log line looks like, and how often one may be written. Pure: time comes in.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/log.hpp"
#include "base/time_types.hpp"

namespace nissa {

struct LogLine {
  std::string_view time;  // "2026-11-28T16:17:34.123Z"
  LogLevel level = LogLevel::info;
  std::string_view component;
  std::string_view message;
  LogFields fields;
  std::string_view place;        // "file.cpp:12"
  std::uint64_t suppressed = 0;  // lines of this place that were left out since its last one; 0 is not said
};

// With its newline, and no other. time, level, component, msg, the fields, place, suppressed:
//   text  time=… level=info component=app msg="two words" slos=3 place=server.cpp:12
//   json  {"time":"…","level":"info","component":"app","msg":"two words","slos":3,"place":"server.cpp:12"}
std::string format_log_line(LogFormat format, const LogLine& line);

// A value as it stands in a text line: quoted and escaped where it holds spaces, quotes or control characters.
std::string log_value(std::string_view raw);

struct LogRate {
  std::int64_t every_ns = ns_per_s;
  std::int64_t at_once = 5;
};

// As many places as the program has, each a few words.
class LogThrottle {
 public:
  using Place = std::pair<std::string_view, unsigned>;  // a literal file name and a line
  // How many lines of this place were left out since the last one that was written, if one may be written now.
  std::optional<std::uint64_t> may_write(const Place& place, const LogRate& rate, BootNs now);

 private:
  struct State {
    BootNs free_at = 0;  // when all that was written is made up for
    std::uint64_t suppressed = 0;
  };
  std::map<Place, State> states_;
};

}  // namespace nissa
