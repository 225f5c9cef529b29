// nissa-send's work: lines in, events out, and what became of them. Blocking, on the caller's thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/line_reader.hpp"
#include "tools/send_options.hpp"

namespace nissa::tools {

struct SendOutcome {
  std::uint64_t lines = 0;  // empty ones are passed over
  std::uint64_t bad_lines = 0;
  bool broken = false;  // reading failed before the end
  agent::Stats stats;
};

// Until the end of the input; what comes of it is waited for, for options.drain_s at most. `stop` is the reader's: once
// it is set, waiting for room counts as draining. `say` gets lines for people: of bad lines the first 100.
SendOutcome send_lines(LineReader& input, const SendOptions& options, const std::atomic<bool>& stop,
                       const std::function<void(const std::string&)>& say);

std::string send_summary(const SendOutcome& outcome);
// 0, 1 or 3: as send_help() says.
int send_exit_code(const SendOutcome& outcome);

}  // namespace nissa::tools
