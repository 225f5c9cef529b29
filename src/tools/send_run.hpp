// nissa-send's work on standard input: lines in, events out, and what became of them. Blocking, on the caller's thread.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "tools/line_reader.hpp"
#include "tools/send_options.hpp"
#include "tools/send_report.hpp"

namespace nissa::tools {

struct SendCalls {
  std::function<void(const std::string&)> say;       // lines for people; of bad lines the first 100. On any thread, one
                                                     // at a time
  std::function<void(const SendFigures&)> progress;  // again and again, on the caller's thread; may be absent
};

// Until the end of the input; what comes of it is waited for, for options.drain_s at most. `stop` is the reader's: once
// it is set, waiting for room counts as draining.
SendOutcome send_lines(LineReader& input, const SendOptions& options, const std::atomic<bool>& stop,
                       const SendCalls& calls);

}  // namespace nissa::tools
