// What nissad is asked to do.
#pragma once
#include <string>

#include "base/result.hpp"

namespace nissa::app {

struct CommandLine {
  enum class Verb { serve, check_config, inspect, verify, version, help };
  Verb verb = Verb::serve;
  std::string config = "nissa.toml";
  std::string directory;     // inspect, verify
  bool json = false;         // inspect
  bool accept_loss = false;  // serve
};

Result<CommandLine> parse_command_line(int argc, const char* const* argv);
const char* usage();

}  // namespace nissa::app
