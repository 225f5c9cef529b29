// What an event says it is: the part that repeats from event to event and decides which SLOs it belongs to.
#pragma once
#include <span>
#include <string_view>

namespace nissa::slo {

struct Label {
  std::string_view key;
  std::string_view value;
};

// Views into the caller's bytes; nothing here owns. A key may stand twice: either value may match.
struct Identity {
  std::string_view service;
  std::string_view operation;  // empty: none given
  std::span<const Label> labels;
};

}  // namespace nissa::slo
