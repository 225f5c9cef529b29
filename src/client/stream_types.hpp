// What goes into a stream and what comes out of it: plain values.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "base/refusal.hpp"
#include "resilience/backoff.hpp"
#include "wire/header_peek.hpp"
#include "wire/messages.hpp"

namespace nissa::client {

// 64 random bits a call. Of an agent: from the operating system, for an epoch must be unlike any other's; of a test:
// from its seed.
using RandomBits = std::function<std::uint64_t()>;

// The body of a batch: what never changes from the first sending on.
struct Body {
  Bytes bytes;             // fields 10 and above of TelemetryBatch; may be left empty by a caller that makes
                           // the same bytes again from `tag` at each sending
  std::uint32_t size = 0;  // in bytes, > 0: what windows and bounds count
  std::uint32_t event_count = 0;
  std::uint64_t tag = 0;  // the caller's own mark; comes back in the settlement
};

// What became of a batch. Each is told exactly once.
enum class Fate : std::uint8_t {
  counted,    // on stable storage, counted once
  duplicate,  // the same: an earlier sending was counted, its answer was lost
  refused,    // final, and not counted; `reason` says why
  uncertain,  // no longer sent, for a further sending might count it twice; it was counted once or not at all
  abandoned,  // given up by this side before any sending; not counted
};

struct Settlement {
  std::uint64_t tag = 0;
  Fate fate = Fate::counted;
  Reason reason = Reason::none;
  std::uint32_t event_count = 0;
  std::uint32_t accepted = 0;  // counted only, as are the next three: a duplicate's numbers are not remembered
  std::uint32_t late = 0;
  std::array<std::uint32_t, event_fault_count> rejected{};
  std::uint32_t unmatched = 0;  // of accepted: belong to no SLO of the server
  bool conflict = false;     // refused, of a resumed batch only: another body was counted under its key, this one never
  bool other_state = false;  // unknown_epoch, of a batch that was first sent to another state than the server's
};

// What goes on beside the fates of batches, for the owner's log; explain.hpp has the words.
struct Notice {
  enum class Kind : std::uint8_t {
    refused_for_now,  // the class, for `reason`: once for each reason until taken_again
    taken_again,
    other_state,  // HelloAck bears another state's id than the last one, or than what was resumed
  };
  Kind kind = Kind::refused_for_now;
  Reason reason = Reason::none;
};

// A batch that an earlier process had keyed and may have sent.
struct Stored {
  Epoch epoch = 0;
  EpochSeen epoch_seen;
  Sequence sequence = 0;
  Body body;  // the same bytes as then
};

enum class Taken : std::uint8_t {
  accepted,
  must_wait,  // the bound on what is held would be passed: come again after a settlement
  too_large,  // no server takes such a batch: too many bytes or events, or none
};

struct StreamOptions {
  Priority priority = Priority::normal;
  std::uint64_t max_held_bytes = 16U << 20;  // bodies not settled; one alone is always taken
  std::uint32_t max_held_batches = 65'536;
  std::uint32_t max_frame_bytes = 1U << 20;        // until a HelloAck says otherwise
  std::uint32_t max_events = 1'000;                // the same
  resilience::BackoffOptions backoff;              // for connecting, and where a refusal names no time
  std::int64_t answer_timeout_ns = 60 * ns_per_s;  // a sending unanswered for so long: the connection is given up
  std::int64_t leave_within_ns = 15 * ns_per_s;    // after GoAway: how long answers on their way are waited for
  RunningMs fresh_for_ms = 86'400'000;             // an epoch takes new batches for so long after its last sign of life
};

// What the owner of the connection is to do next.
struct Action {
  enum class Kind : std::uint8_t {
    wait,        // nothing before `until`, or before the next input
    connect,     // open a connection and say Hello with `epoch`
    send_batch,  // `header` (sent_at and the agent's name are the sender's to add) and `body`
    send_goodbye,
    disconnect,  // close the connection, then say connection_lost()
  };
  Kind kind = Kind::wait;
  std::optional<BootNs> until;  // wait; absent: no time of its own
  std::optional<Epoch> epoch;   // connect
  wire::BatchHeader header;     // send_batch
  bool first = false;           // send_batch: the first sending under this key
  const Body* body = nullptr;   // send_batch; valid until the next call of the stream
  wire::Goodbye goodbye;        // send_goodbye
};

struct StreamCounts {
  std::uint64_t sendings = 0;
  std::uint64_t resendings = 0;  // of them
  std::uint64_t rekeyed = 0;
  std::uint64_t epochs_drawn = 0;
  std::uint64_t clones_seen = 0;  // another uses our epoch
  std::uint64_t refusals = 0;     // to be retried
  std::uint64_t stray_acks = 0;   // that answer nothing held
  std::uint64_t connections_lost = 0;
  std::uint64_t dropped_events = 0;  // as told in the header: refused, uncertain, and what the caller dropped
};

}  // namespace nissa::client
