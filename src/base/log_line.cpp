#include "base/log_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/json_quoted.hpp"

namespace nissa {
namespace {

void add_text(std::string& out, std::string_view key, std::string_view value) {
  if (!out.empty()) out += ' ';
  out.append(key).append("=").append(value);
}

std::string as_text(const LogLine& line) {
  std::string out;
  add_text(out, "time", line.time);
  add_text(out, "level", name_of(line.level));
  add_text(out, "component", line.component);
  add_text(out, "msg", log_value(line.message));
  for (const LogField& field : line.fields)
    add_text(out, field.key, field.is_number ? std::to_string(field.number) : log_value(field.text));
  add_text(out, "place", log_value(line.place));
  if (line.suppressed != 0) add_text(out, "suppressed", std::to_string(line.suppressed));
  return out;
}

void add_json(std::string& out, std::string_view key, std::string_view value) {
  out.append(out.empty() ? "{\"" : ",\"").append(key).append("\":").append(value);
}

std::string as_json(const LogLine& line) {
  std::string out;
  add_json(out, "time", json_quoted(line.time));
  add_json(out, "level", json_quoted(name_of(line.level)));
  add_json(out, "component", json_quoted(line.component));
  add_json(out, "msg", json_quoted(line.message));
  for (const LogField& field : line.fields)
    add_json(out, field.key, field.is_number ? std::to_string(field.number) : json_quoted(field.text));
  add_json(out, "place", json_quoted(line.place));
  if (line.suppressed != 0) add_json(out, "suppressed", std::to_string(line.suppressed));
  return out + '}';
}

}  // namespace

std::string format_log_line(LogFormat format, const LogLine& line) {
  return (format == LogFormat::json ? as_json(line) : as_text(line)) + '\n';
}

std::string log_value(std::string_view raw) {
  if (!raw.empty() && raw.find_first_of(" \"=\\\t\r\n") == raw.npos) {
    bool plain = true;
    for (const char c : raw) plain = plain && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    if (plain) return std::string(raw);
  }
  std::string quoted = "\"";
  for (const char c : raw) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 5> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned char>(c));
      quoted += hex.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::optional<std::uint64_t> LogThrottle::may_write(const Place& place, const LogRate& rate, BootNs now) {
  State& state = states_[place];
  if (state.free_at - now > (rate.at_once - 1) * rate.every_ns) {
    ++state.suppressed;
    return std::nullopt;
  }
  state.free_at = std::max(state.free_at, now) + rate.every_ns;
  return std::exchange(state.suppressed, 0);
}

}  // namespace nissa
