#include "ingest/acknowledgement.hpp"

namespace nissa::ingest {

wire::Ack acknowledgement(const ledger::Answer& answer, std::uint64_t state_id, std::int64_t clock_skew_ms) {
  wire::Ack ack;
  ack.key = answer.key;
  ack.status = static_cast<wire::AckStatus>(answer.status);
  ack.reason = answer.reason;
  if (answer.status == ledger::AckStatus::refused) {
    ack.final = is_final(answer.reason);
    if (!ack.final) ack.retry_after_ms = answer.retry_after_ms;
  }
  if (answer.status == ledger::AckStatus::counted) {
    ack.accepted = answer.accepted;
    ack.late = answer.late;
    for (std::size_t i = 0; i < event_fault_count; ++i) ack.rejected[i] = answer.rejected[i];
    ack.unmatched = answer.unmatched;
    ack.clock_skew_ms = clock_skew_ms;
  }
  ack.now = EpochSeen{state_id, answer.running_ms};
  return ack;
}

wire::Ack refusal(const BatchKey& key, const EpochSeen& now, Reason reason, std::uint32_t retry_after_ms) {
  wire::Ack ack;
  ack.key = key;
  ack.status = wire::AckStatus::refused;
  ack.reason = reason;
  ack.final = is_final(reason);
  if (!ack.final) ack.retry_after_ms = retry_after_ms;
  ack.now = now;
  return ack;
}

wire::Ack malformed(std::optional<BatchKey> key, const EpochSeen& now, const wire::Malformed& fault) {
  wire::Ack ack;
  ack.key = key;
  ack.status = wire::AckStatus::malformed;
  ack.reason = fault.reason;
  ack.byte_offset = fault.offset;
  ack.field = fault.field;
  ack.final = true;
  ack.now = now;
  return ack;
}

wire::HelloAck greeting(const Options& options) {
  wire::HelloAck ack;
  ack.max_frame_bytes = options.max_frame_bytes;
  ack.max_events = options.max_events;
  ack.window_batches = options.window_batches;
  ack.window_bytes = options.window_bytes;
  return ack;
}

}  // namespace nissa::ingest
