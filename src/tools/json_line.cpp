#include "tools/json_line.hpp"

#include <array>
#include <boost/json/parse.hpp>
#include <cmath>
#include <optional>

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

Status read_time(const json::value& value, std::int64_t& out) {
  if (const auto* seconds = value.if_int64(); seconds != nullptr && *seconds >= 0 && *seconds < 1LL << 33)
    return out = *seconds * ns_per_s, Status();
  if (const auto* seconds = value.if_double(); seconds != nullptr && *seconds >= 0 && *seconds < 8e9)
    return out = to_ns(*seconds), Status();
  if (const auto* text = value.if_string())
    if (const auto time = parse_rfc3339({text->data(), text->size()})) return out = *time, Status();
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

Status read_labels(const json::value& value, LineEvent& event) {
  const auto* object = value.if_object();
  if (object == nullptr) return expected("labels", "an object of texts");
  for (const auto& [name, text] : *object) {
    std::string& into = event.labels.emplace_back(std::string(name), std::string()).second;
    if (auto read = read_text("labels." + std::string(name), text, into); !read) return read;
  }
  return {};
}

Status read_key(std::string_view key, const json::value& value, LineEvent& event) {
  if (key == "time") return read_time(value, event.time_unix_ns);
  if (key == "duration_ms") return read_duration(key, value, 1e-3, event.duration_ns);
  if (key == "duration_s") return read_duration(key, value, 1, event.duration_ns);
  if (key == "outcome") return read_outcome(value, event.outcome);
  if (key == "service") return read_text(key, value, event.service);
  if (key == "operation") return read_text(key, value, event.operation);
  if (key == "labels") return read_labels(value, event);
  if (key == "request_id") return read_text(key, value, event.request_id);
  return failure("\"" + std::string(key) + "\" is no key of an event");
}

}  // namespace

Result<LineEvent> parse_json_line(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error) return failure("no JSON: " + error.message());
  const auto* object = value.if_object();
  if (object == nullptr) return failure("expected an object: {\"service\": …}");
  LineEvent event;
  for (const auto& [key, one] : *object)
    if (auto read = read_key(std::string_view(key.data(), key.size()), one, event); !read)
      return std::unexpected(read.error());
  return event;
}

}  // namespace nissa::tools
