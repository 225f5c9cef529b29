#include "base/log.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <utility>

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/utc_text.hpp"

namespace nissa {
namespace {

std::atomic<LogLevel> least_level{LogLevel::info};

struct Place {
  BootNs last_ns = 0;
  std::uint64_t suppressed = 0;
};
Mutex places_mutex;
std::map<std::pair<std::string_view, unsigned>, Place> places;

// True if a line may be written from this place now; `suppressed` is how many were not since the last one.
bool may_write(const std::source_location& where, std::uint64_t& suppressed) {
  const BootNs now = SystemClock().boot_ns();
  Lock lock(places_mutex);
  Place& place = places[{where.file_name(), where.line()}];
  if (place.last_ns != 0 && now - place.last_ns < ns_per_s) {
    ++place.suppressed;
    return false;
  }
  place.last_ns = now;
  suppressed = std::exchange(place.suppressed, 0);
  return true;
}

constexpr std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

std::string timestamp() {
  const UnixNs now = SystemClock().wall_ns();
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(now % ns_per_s / ns_per_ms));
  return utc_text(now / ns_per_ms) + fraction.data();
}

}  // namespace

void set_log_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }

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
      char hex[5];
      std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
      quoted += hex;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

void log(LogLevel level, std::string_view component, std::string_view message, std::source_location where) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  std::uint64_t suppressed = 0;
  if (!may_write(where, suppressed)) return;
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  std::string line = "time=" + timestamp() + " level=" + std::string(name_of(level)) +
                     " component=" + std::string(component) + " msg=" + log_value(message) +
                     " place=" + std::string(file) + ':' + std::to_string(where.line());
  if (suppressed != 0) line += " suppressed=" + std::to_string(suppressed);
  line += '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace nissa
