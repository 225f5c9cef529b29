// What came of a batch → the Ack that its agent reads. Pure.
#pragma once
#include <cstdint>

#include "ingest/options.hpp"
#include "ledger/submission.hpp"
#include "wire/header_peek.hpp"
#include "wire/malformed.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {

wire::Ack acknowledgement(const ledger::Answer& answer, std::uint64_t state_id, std::int64_t clock_skew_ms);
// `now`: of the state as it stands. `retry_after_ms` is told only where a retry may help.
wire::Ack refusal(const BatchKey& key, const EpochSeen& now, Reason reason, std::uint32_t retry_after_ms);
wire::Ack malformed(std::optional<BatchKey> key, const EpochSeen& now, const wire::Malformed& fault);

// The limits that either door tells; what else a HelloAck says is the caller's.
wire::HelloAck greeting(const Options& options);

}  // namespace nissa::ingest
