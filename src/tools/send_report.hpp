// What nissa-send tells of its work: a line while it goes on, a summary at its end, the exit code. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/time_types.hpp"
#include "nissa/client.hpp"

namespace nissa::tools {

struct SendOutcome {
  std::uint64_t lines = 0;  // empty ones are passed over
  std::uint64_t bad_lines = 0;
  bool broken = false;        // reading failed before the end
  bool following = false;     // a file, with a state file
  std::uint64_t resumed = 0;  // events of batches of an earlier start, beside the lines
  std::uint64_t kept = 0;     // events that the next start sends, or finds sent
  std::uint64_t missing = 0;  // files, or rests of files, that were not found
  agent::Stats stats;
};

std::string send_summary(const SendOutcome& outcome);
// 0, 1 or 3: as send_help() says.
int send_exit_code(const SendOutcome& outcome);

struct SendFigures {
  std::uint64_t lines = 0, acknowledged = 0, in_flight = 0;
  std::optional<std::uint64_t> lag_bytes;  // where a file is followed
};

// One line for a terminal, written over itself at most four times a second.
class SendProgress {
 public:
  // What to write now, without a line's end; nothing if it is too early for another.
  std::optional<std::string> line(const SendFigures& figures, BootNs now);
  static constexpr BootNs every_ns = 250 * ns_per_ms;

 private:
  BootNs shown_at_ = 0;
  bool begun_ = false;
  std::uint64_t acknowledged_then_ = 0;
  double events_per_s_ = 0;
};

}  // namespace nissa::tools
