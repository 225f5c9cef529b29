// The command line of nissa-send.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "nissa/client.hpp"
#include "tools/arguments.hpp"
#include "tools/operation_names.hpp"

namespace nissa::tools {

struct SendOptions {
  enum class Format : std::uint8_t { automatic, json, nginx };
  agent::Options agent;
  agent::Priority priority = agent::Priority::normal;
  Format format = Format::automatic;
  std::string service;
  std::vector<std::pair<std::string, std::string>> labels;  // added to every event
  OperationNames operations;
  std::vector<std::string> operation_rules;  // as given: what `operations` was made of
  std::string follow;                        // the path of the file; empty: standard input
  std::string state;                         // the path of the state file, where a file is followed
  bool from_end = false;                     // where a file is followed for the first time
  std::uint32_t drain_s = 60;
  bool help = false;
};

SendOptions send_options(Arguments& arguments);
std::string send_help();

}  // namespace nissa::tools
