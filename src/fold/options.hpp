// What an operator may set about folding.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nissa::fold {

enum class Proof : std::uint8_t {
  strict,    // the same bytes after decoding and re-encoding
  semantic,  // the same meaning: what is not canonical is brought into form first, at 0.3 us an event
};

enum class AgentClock : std::uint8_t {
  corrected,  // event times are shifted by a skew above 2 s
  trusted,    // clock = "trust": never
};

// In a batch, whatever is configured: what the fold's counters hold.
inline constexpr std::uint32_t most_events_a_batch = 65'535;

// A larger batch that is not canonical is malformed in `semantic` mode too: bringing one into form takes for a moment
// up to 30 times its bytes.
inline constexpr std::size_t most_reformed_bytes = std::size_t{1} << 20;
inline constexpr std::size_t reforming_bytes = 30 * most_reformed_bytes;

struct Options {
  Proof proof = Proof::strict;
  AgentClock agent_clock = AgentClock::corrected;

  // Remembered identities, of each fold lane: beyond either bound the oldest goes. Costs time, never counts.
  std::size_t most_identities = 1'000'000;
  std::size_t most_identity_bytes = std::size_t{128} << 20;

  // Beyond these an event is rejected, alone.
  std::size_t most_name_bytes = 256;  // of service, operation, a label's key, a label's value
  std::size_t most_labels = 32;
  std::size_t most_request_id_bytes = 64;
};

}  // namespace nissa::fold
