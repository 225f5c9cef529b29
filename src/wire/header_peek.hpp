// The header of a batch (fields 1 to 9 of TelemetryBatch), read before the body is there: who sends what, and how much.
// Strict in every mode: fields first and ascending, each once, minimal, within 256 bytes. Pure; about 40 ns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "wire/malformed.hpp"

namespace nissa::wire {

inline constexpr std::size_t header_limit = 256;
inline constexpr std::size_t agent_limit = 96;

struct BatchHeader {
  bool keyed =
      false;  // epoch, sequence, settled_below and epoch_seen are there (all or none; TCP takes keyed ones only)
  Priority priority = Priority::normal;
  std::uint32_t event_count = 0;
  std::uint32_t header_size = 0;  // offset of the body's first byte
  Epoch epoch = 0;
  Sequence sequence = 0;
  Sequence settled_below = 0;  // at most `sequence`
  EpochSeen epoch_seen;
  std::uint64_t sent_at_unix_ns = 0;  // the agent's clock; 0: not told
  std::string_view agent;             // into the bytes that were peeked
  std::uint64_t dropped_events = 0;

  BatchKey key() const { return {epoch, priority, sequence}; }
};

// Whether `have` bytes of a batch of `whole` bytes are enough to peek.
constexpr bool can_peek(std::size_t have, std::size_t whole) {
  return have >= (whole < header_limit ? whole : header_limit);
}

// `first`: the first bytes of a batch, as many as can_peek asks for or more. Offsets count from the batch's first byte.
std::expected<BatchHeader, Malformed> peek_header(ByteView first);
// For the answer to a batch whose header is malformed: its key, if the fields of the key can be read.
std::optional<BatchKey> peek_key(ByteView first);
// The rule that a header broke, as a sentence for people, of `field` and `reason` as peek_header() told them.
std::string header_rule(std::string_view field, Reason reason);
// empty_batch or too_many_events: known from the header alone, before the body is read.
std::optional<Malformed> check_event_count(const BatchHeader& header, std::uint32_t max_events);

// Appends the header (priority and event_count always; the key's fields if `keyed`). header_size is ignored.
// An agent's name beyond agent_limit must have been refused before.
void append_header(Bytes& out, const BatchHeader& header);

// Of the body: all behind the header, as sent (inflated).
Fingerprint fingerprint_of(ByteView body);

}  // namespace nissa::wire
