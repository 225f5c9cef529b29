// nissa-send --follow: a growing file, through its rotations and through crashes of nissa-send itself.
#pragma once
#include <atomic>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "tools/send_options.hpp"
#include "tools/send_report.hpp"

namespace nissa::tools {

struct FollowCalls {
  std::function<void(const std::string&)> say;       // lines for people
  std::function<void(const SendFigures&)> progress;  // some four times a second
};

// Until `stop` is set; then what was cut is sent and answers are waited for, for options.drain_s at most: what is not
// settled then is kept for the next start. Blocking; all on the caller's thread. Fails, having sent nothing, if the
// state file cannot be used, or if the file is an access log and there is no service for its lines: none of them would
// be understood, and all of them passed over for good.
Result<SendOutcome> send_followed(const SendOptions& options, const std::atomic<bool>& stop, const FollowCalls& calls);

}  // namespace nissa::tools
