// One line of input, understood: what nissa-send makes an event of.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "nissa/client.hpp"

namespace nissa::tools {

struct LineEvent {
  std::string service;  // empty: the line did not say
  std::string operation;
  std::vector<std::pair<std::string, std::string>> labels;
  agent::Outcome outcome = agent::Outcome::ok;
  std::optional<std::int64_t> time_unix_ns;  // absent: the line did not say
  std::int64_t duration_ns = -1;             // negative: the line did not say
  std::string request_id;
};

}  // namespace nissa::tools
