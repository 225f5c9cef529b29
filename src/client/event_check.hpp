// What a server would not take of an event, found before it is kept: the limits of docs/protocol.md.
#pragma once
#include "nissa/client.hpp"

namespace nissa::client {

// Pure; about 10 ns.
bool can_be_sent(const agent::Event& event);
// What is wrong with the options, in words; empty if nothing is.
std::string problem_with(const agent::Options& options);

}  // namespace nissa::client
