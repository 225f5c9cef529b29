#include "base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "base/log_line.hpp"
#include "base/mutex.hpp"
#include "base/utc_text.hpp"

namespace nissa {
namespace {

constexpr LogRate usual;
constexpr LogRate rare{.every_ns = 10 * ns_per_s, .at_once = 1};

std::atomic<LogLevel> least_level{LogLevel::info};
std::atomic<LogFormat> chosen_format{LogFormat::text};
std::atomic<std::uint64_t> unread_lines{0};
Mutex throttle_mutex;
LogThrottle throttle;

std::string timestamp() {
  const UnixNs now = SystemClock().wall_ns();
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(now % ns_per_s / ns_per_ms));
  return utc_text(now / ns_per_ms) + fraction.data();
}

std::optional<std::uint64_t> may_write(const LogRate& rate, const std::source_location& where) {
  const BootNs now = SystemClock().boot_ns();
  Lock lock(throttle_mutex);
  return throttle.may_write({where.file_name(), where.line()}, rate, now);
}

// Where nobody reads, lines are lost rather than waited for: a log must not stop what it tells of. A pipe that can be
// written to takes PIPE_BUF bytes at once.
bool write_if_read(std::string_view text) {
  while (!text.empty()) {
    pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (poll(&out, 1, 0) <= 0) return false;
    const std::string_view piece = text.substr(0, PIPE_BUF);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, piece.data(), piece.size());
    text.remove_prefix(piece.size());
  }
  return true;
}

void write(const LogRate& rate, LogLine line, const std::source_location& where) {
  if (line.level < log_level()) return;
  const auto suppressed = may_write(rate, where);
  if (!suppressed) return;
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  const std::string place = std::string(file) + ':' + std::to_string(where.line());
  const std::string time = timestamp();
  line.time = time;
  line.place = place;
  const std::uint64_t lost = unread_lines.exchange(0, std::memory_order_relaxed);
  line.suppressed = *suppressed + lost;
  const std::string text = format_log_line(chosen_format.load(std::memory_order_relaxed), line);
  if (!write_if_read(text)) unread_lines.fetch_add(lost + 1, std::memory_order_relaxed);
}

}  // namespace

std::optional<LogLevel> log_level_named(std::string_view name) {
  for (std::size_t i = 0; i < log_level_names.size(); ++i)
    if (log_level_names[i] == name) return static_cast<LogLevel>(i);
  return std::nullopt;
}

void set_log_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }
LogLevel log_level() { return least_level.load(std::memory_order_relaxed); }
void forget_log_rates() {
  Lock lock(throttle_mutex);
  throttle = LogThrottle();
}
void set_log_format(LogFormat format) { chosen_format.store(format, std::memory_order_relaxed); }

void log(LogLevel level, std::string_view component, std::string_view message, LogFields fields,
         std::source_location where) {
  write(usual, {.level = level, .component = component, .message = message, .fields = fields}, where);
}

void log_rarely(LogLevel level, std::string_view component, std::string_view message, LogFields fields,
                std::source_location where) {
  write(rare, {.level = level, .component = component, .message = message, .fields = fields}, where);
}

}  // namespace nissa
