#include "ledger/epoch_state.hpp"

#include <utility>

#include "base/priority.hpp"

namespace nissa::ledger {
namespace {

// What the heap adds to the object, its slot in the hash table at a middling load, its node among those due.
constexpr std::size_t table_overhead = 16 + 32 + 64;

std::size_t heap_bytes(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 17 : 0;
}

}  // namespace

std::size_t EpochState::bytes() const {
  std::size_t sum = sizeof(EpochState) + table_overhead + heap_bytes(agent) + heap_bytes(principal);
  for (const StreamWindow& stream : streams) sum += stream.heap_bytes();
  return sum;
}

void encode(const EpochState& state, Bytes& out) {
  ByteWriter writer(out);
  writer.fixed(state.seen.state_id);
  writer.varint(state.seen.running_ms);
  writer.varint(state.last_running_ms);
  writer.text(state.agent);
  writer.text(state.principal);
  std::uint8_t present = 0;
  for (const Priority priority : all_priorities)
    if (!state.stream(priority).untouched()) present |= static_cast<std::uint8_t>(1u << index_of(priority));
  writer.fixed(present);
  for (const StreamWindow& stream : state.streams)
    if (!stream.untouched()) stream.encode(writer);
}

Result<EpochState> decode_epoch(ByteView bytes) {
  ByteReader reader(bytes);
  EpochState state;
  state.seen.state_id = reader.fixed<std::uint64_t>();
  state.seen.running_ms = reader.varint();
  state.last_running_ms = reader.varint();
  state.agent = reader.text();
  state.principal = reader.text();
  const auto present = reader.fixed<std::uint8_t>();
  bool sound = present < (1u << priority_count);
  for (std::size_t i = 0; sound && i < priority_count; ++i)
    if ((present >> i & 1) != 0) sound = state.streams[i].decode(reader) && !state.streams[i].untouched();
  if (!sound || reader.failed() || !reader.at_end())
    return failure("an epoch's row is damaged at byte " + std::to_string(reader.offset()) + " of " +
                   std::to_string(bytes.size()));
  return state;
}

}  // namespace nissa::ledger
