#include "tools/send_report.hpp"

#include "tools/amount.hpp"

namespace nissa::tools {
namespace {

std::string rejected_by_name(const agent::Stats& stats) {
  std::string text;
  for (std::size_t i = 0; i < agent::event_fault_count; ++i) {
    if (stats.rejected_by[i] == 0) continue;
    text += (text.empty() ? "; not taken: " : ", ") + std::to_string(stats.rejected_by[i]) + " " +
            std::string(name_of(static_cast<agent::EventFault>(i + 1)));
  }
  return text;
}

// "12.3 MiB".
std::string bytes_text(std::uint64_t bytes) {
  constexpr const char* units[]{" B", " KiB", " MiB", " GiB", " TiB"};
  std::uint64_t tenths = bytes * 10;
  std::size_t unit = 0;
  for (; tenths >= 10'240 && unit < 4; ++unit) tenths /= 1'024;
  const std::string whole = std::to_string(tenths / 10);
  return unit == 0 ? whole + units[0] : whole + "." + std::to_string(tenths % 10) + units[unit];
}

}  // namespace

std::string send_summary(const SendOutcome& outcome) {
  const agent::Stats& s = outcome.stats;
  std::string text = amount(outcome.lines, "line", "lines") + ", " + std::to_string(outcome.bad_lines) +
                     " not understood; " + events_text(s.counted) + " acknowledged, of them " +
                     std::to_string(s.rejected) + " not taken by the server; " + std::to_string(s.refused) +
                     " refused, " + std::to_string(s.uncertain) + " uncertain, " + std::to_string(s.abandoned) +
                     " not sent; " + amount(s.batches_resent, "batch", "batches") + " resent, " +
                     amount(s.connections_lost, "connection", "connections") + " lost";
  if (outcome.following) text += "; " + events_text(outcome.kept) + " kept for the next start";
  if (outcome.resumed > 0) text += "; beside the lines " + events_text(outcome.resumed) + " of an earlier start";
  text += rejected_by_name(s);
  if (outcome.missing > 0)
    text += "; " + amount(outcome.missing, "file or part of a file", "files or parts of files") + " not found";
  return text;
}

int send_exit_code(const SendOutcome& outcome) {
  const agent::Stats& s = outcome.stats;
  if (s.refused + s.uncertain + s.abandoned + outcome.missing > 0 || outcome.broken) return 3;
  return outcome.bad_lines + s.rejected > 0 ? 1 : 0;
}

std::optional<std::string> SendProgress::line(const SendFigures& figures, BootNs now) {
  if (begun_ && now - shown_at_ < every_ns) return std::nullopt;
  if (begun_) {
    const double seconds = static_cast<double>(now - shown_at_) / 1e9;
    const double current = static_cast<double>(figures.acknowledged - acknowledged_then_) / seconds;
    events_per_s_ = 0.7 * events_per_s_ + 0.3 * current;  // so that it can be read
  }
  begun_ = true;
  shown_at_ = now;
  acknowledged_then_ = figures.acknowledged;
  std::string text = amount(figures.lines, "line", "lines") + ", " + events_text(figures.acknowledged) +
                     " acknowledged, " + std::to_string(figures.in_flight) + " in flight, " +
                     std::to_string(static_cast<std::uint64_t>(events_per_s_)) + "/s";
  if (figures.lag_bytes) text += ", " + bytes_text(*figures.lag_bytes) + " behind";
  return text;
}

}  // namespace nissa::tools
