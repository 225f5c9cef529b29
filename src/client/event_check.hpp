// What a server would not take of an event, found before it is kept: the limits of docs/protocol.md.
#pragma once
#include <cstddef>

#include "nissa/client.hpp"

namespace nissa::client {

// Of an event, unless a server is configured to take more.
inline constexpr std::size_t longest_name = 256;  // bytes of service, operation, a label's key and its value
inline constexpr std::size_t longest_request_id = 64;
inline constexpr std::size_t most_labels = 32;

// Pure; about 10 ns.
bool can_be_sent(const agent::Event& event);
// What is wrong with the options, in words; empty if nothing is.
std::string problem_with(const agent::Options& options);

}  // namespace nissa::client
