#include "tools/json_line.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "base/nearest_name.hpp"
#include "client/event_check.hpp"
#include "tools/time_text.hpp"

namespace nissa::tools {
namespace {

namespace json = boost::json;

constexpr double longest_s = 100.0 * 366 * 86'400;

Status expected(std::string_view key, std::string_view what) {
  return failure("\"" + std::string(key) + "\": expected " + std::string(what));
}

std::optional<double> as_number(const json::value& value) {
  if (const auto* number = value.if_double()) return *number;
  if (const auto* number = value.if_int64()) return static_cast<double>(*number);
  if (const auto* number = value.if_uint64()) return static_cast<double>(*number);
  return std::nullopt;
}

// Apart, for a double holds today's seconds to 0.2 µs only.
std::int64_t to_ns(double seconds) {
  const double whole = std::floor(seconds);
  return static_cast<std::int64_t>(whole) * ns_per_s + std::llround((seconds - whole) * 1e9);
}

Status read_text(std::string_view key, const json::value& value, std::string& out) {
  const auto* text = value.if_string();
  if (text == nullptr) return expected(key, "a text");
  out.assign(text->data(), text->size());
  return {};
}

// What a time of this century counts, if it cannot be seconds; else nothing.
std::string_view unit_of_unix_time(double time) {
  constexpr std::array<std::pair<double, std::string_view>, 3> units{
      {{1e3, "milliseconds"}, {1e6, "microseconds"}, {1e9, "nanoseconds"}}};
  for (const auto& [a_second, name] : units)
    if (time >= 9e8 * a_second && time < 5e9 * a_second) return name;
  return {};
}

Status read_time(const json::value& value, std::optional<std::int64_t>& out) {
  if (const auto* seconds = value.if_int64(); seconds != nullptr && *seconds >= 0 && *seconds < 1LL << 33)
    return out = *seconds * ns_per_s, Status();
  if (const auto* seconds = value.if_double(); seconds != nullptr && *seconds >= 0 && *seconds < 8e9)
    return out = to_ns(*seconds), Status();
  if (const auto* text = value.if_string())
    if (const auto time = parse_rfc3339({text->data(), text->size()})) return out = *time, Status();
  if (const auto number = as_number(value))
    if (const std::string_view unit = unit_of_unix_time(*number); !unit.empty())
      return failure("\"time\" looks like " + std::string(unit) + " since 1970: expected seconds, as 1749995200.25");
  return expected("time", "seconds since 1970, or a time like \"2025-06-15T13:46:40.5Z\"");
}

Status read_duration(std::string_view key, const json::value& value, double unit_s, std::int64_t& out) {
  const auto number = as_number(value);
  if (!number || !(*number >= 0) || *number * unit_s > longest_s) return expected(key, "a number from 0 on");
  if (out >= 0) return failure("\"duration_ms\" and \"duration_s\": expected one of both");
  out = std::llround(*number * unit_s * 1e9);
  return {};
}

Status read_outcome(const json::value& value, agent::Outcome& out) {
  constexpr std::array<std::string_view, 5> names{"OK", "ERROR", "TIMEOUT", "CLIENT_ERROR", "CANCELLED"};
  if (const auto* text = value.if_string()) {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::string_view(text->data(), text->size()) == names[i])
        return out = static_cast<agent::Outcome>(i), Status();
  }
  return expected("outcome", "OK, ERROR, TIMEOUT, CLIENT_ERROR or CANCELLED");
}

// What comes twice would silently be one of both, so each key has a bit.
constexpr std::array<std::string_view, 8> keys{"time",    "duration_ms", "duration_s", "outcome",
                                               "service", "operation",   "labels",     "request_id"};
constexpr std::string_view labels_key = keys[6];

Status read_key(std::string_view key, const json::value& value, LineEvent& event) {
  if (key == "time") return read_time(value, event.time_unix_ns);
  if (key == "duration_ms") return read_duration(key, value, 1e-3, event.duration_ns);
  if (key == "duration_s") return read_duration(key, value, 1, event.duration_ns);
  if (key == "outcome") return read_outcome(value, event.outcome);
  if (key == "service") return read_text(key, value, event.service);
  if (key == "operation") return read_text(key, value, event.operation);
  if (key == labels_key) return expected(key, "an object of texts");
  return read_text(key, value, event.request_id);
}

std::string no_such_key(std::string_view given) {
  std::string text = "\"" + std::string(given) + "\" is no key of an event";
  if (const std::string_view near = nearest_name(given, keys); !near.empty())
    text += "; did you mean \"" + std::string(near) + "\"?";
  text += " (its keys: ";
  for (const std::string_view key : keys) text += std::string(key) + (key == keys.back() ? ")" : ", ");
  return text;
}

// What Boost's parser calls as it reads: a document is never built, for it would forget which keys came twice.
// https://www.boost.org/doc/libs/1_81_0/libs/json/doc/html/json/ref/boost__json__basic_parser.html
class EventHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  using Code = boost::system::error_code;
  using Text = json::string_view;

  LineEvent event;
  std::string problem;  // of ours; empty if it was the parser that stopped

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& error) {
    if (depth_ == 0 || (depth_ == 1 && key_ == labels_key)) return ++depth_, true;
    return refuse(error, expected_here(json::object_kind));
  }
  bool on_object_end(std::size_t, Code&) { return --depth_, true; }
  bool on_array_begin(Code& error) { return refuse(error, expected_here(json::array_kind)); }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(Text part, std::size_t, Code&) { return partial_.append(part.data(), part.size()), true; }
  bool on_key(Text rest, std::size_t, Code& error) {
    std::string whole = std::exchange(partial_, {});
    whole.append(rest.data(), rest.size());
    return depth_ == 1 ? begin_key(std::move(whole), error) : begin_label(std::move(whole), error);
  }
  bool on_string_part(Text part, std::size_t, Code&) { return partial_.append(part.data(), part.size()), true; }
  bool on_string(Text rest, std::size_t, Code& error) {
    std::string whole = std::exchange(partial_, {});
    whole.append(rest.data(), rest.size());
    return value(json::string(whole), error);
  }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(std::int64_t number, Text, Code& error) { return value(number, error); }
  bool on_uint64(std::uint64_t number, Text, Code& error) { return value(number, error); }
  bool on_double(double number, Text, Code& error) { return value(number, error); }
  bool on_bool(bool truth, Code& error) { return value(truth, error); }
  bool on_null(Code& error) { return value(nullptr, error); }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  static constexpr std::string_view no_object = "expected an object: {\"service\": …}";

  bool refuse(Code& error, std::string why) {
    problem = std::move(why);
    error = json::error::exception;
    return false;
  }
  std::string expected_here(const json::value& value) const {
    if (depth_ == 0) return std::string(no_object);
    const auto read = depth_ == 1 ? [&] {
      LineEvent ignored;
      return read_key(key_, value, ignored);
    }()
                                  : expected("labels." + event.labels.back().first, "a text");
    return read ? std::string(no_object) : read.error().message;
  }
  bool begin_key(std::string key, Code& error) {
    const auto known = std::ranges::find(keys, std::string_view(key));
    if (known == keys.end()) return refuse(error, no_such_key(key));
    const unsigned bit = 1U << (known - keys.begin());
    if ((seen_ & bit) != 0) return refuse(error, "\"" + key + "\" comes twice");
    seen_ |= bit;
    key_ = std::move(key);
    return true;
  }
  bool begin_label(std::string key, Code& error) {
    const auto same = [&key](const auto& label) { return label.first == key; };
    if (std::ranges::any_of(event.labels, same)) return refuse(error, "\"labels." + key + "\" comes twice");
    if (event.labels.size() == client::most_labels) return refuse(error, "has more than 32 labels");
    event.labels.emplace_back(std::move(key), std::string());
    return true;
  }
  bool value(const json::value& one, Code& error) {
    if (depth_ == 0) return refuse(error, std::string(no_object));
    const Status read = depth_ == 1 ? read_key(key_, one, event)
                                    : read_text("labels." + event.labels.back().first, one, event.labels.back().second);
    return read || refuse(error, read.error().message);
  }

  int depth_ = 0;
  unsigned seen_ = 0;
  std::string key_, partial_;
};

}  // namespace

Result<LineEvent> parse_json_line(std::string_view line) {
  json::basic_parser<EventHandler> parser(json::parse_options{});
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, line.data(), line.size(), error);
  if (!parser.handler().problem.empty()) return failure(std::move(parser.handler().problem));
  if (!error && read < line.size()) error = json::error::extra_data;
  if (error) return failure("no JSON: " + error.message());
  return std::move(parser.handler().event);
}

}  // namespace nissa::tools
