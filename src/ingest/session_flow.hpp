// THE FLOW: what happens to a connection's bytes until its batches are acknowledged. The steps stand in run().
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "async/byte_stream.hpp"
#include "async/latch.hpp"
#include "async/strand.hpp"
#include "base/bytes.hpp"
#include "fold/clock_skew.hpp"
#include "ingest/door.hpp"
#include "ingest/outbox.hpp"
#include "ingest/read_buffer.hpp"
#include "wire/frame.hpp"
#include "wire/header_peek.hpp"

namespace nissa::ingest {

// Thread statement: overdue() from any thread, all else on the connection's strand.
class SessionFlow {
 public:
  SessionFlow(Door& door, const Strand& strand, std::shared_ptr<ByteStream> stream, const PeerAddress& peer);

  // Until the agent or the server ends the connection, and all that was taken is answered.
  Task<void> run();

  // Why this connection is to be closed at `now`, if it is: no Hello, a frame that does not come to its end, idle, or
  // an agent that does not read its acks.
  std::optional<Reason> overdue(BootNs now) const;
  void expire(Reason reason);
  // The server stops: read no more, answer what is in hand.
  void go_away();

 private:
  // A complete batch in the buffer, with the slot that its ack will use.
  struct Arrived {
    wire::BatchHeader header;
    ByteView bytes;
    std::uint32_t slot = 0;
  };
  enum class Phase : std::uint8_t { greeting, idle, partial_frame, busy };
  enum class Taken : std::uint8_t { all, no_slot };

  // --- session_flow.cpp: the steps.
  Task<bool> read_more();
  Task<bool> get_room();
  Task<Taken> take_frames(std::vector<Arrived>& batches);
  Task<void> admit_and_commit(std::span<const Arrived> batches);
  void fold_and_commit(std::span<const Arrived> batches);
  void fold_one(const Arrived& batch, const fold::FoldContext& now, ledger::Submission& submission);

  // --- session_frames.cpp: one frame.
  void take_batch(ByteView payload, std::vector<Arrived>& batches);
  void take_malformed_frame(const wire::FrameStep<wire::FrameKind>& step);
  Task<void> take_small(wire::FrameKind kind, ByteView payload);
  Task<void> on_hello(ByteView payload);
  void on_heartbeat(ByteView payload);
  void on_goodbye(ByteView payload);
  void on_control(ByteView payload);
  void refuse(const Arrived& batch, Reason reason, std::uint32_t retry_after_ms);
  void malformed_batch(const Arrived& batch, const wire::Malformed& fault);
  void malformed_frame(std::optional<BatchKey> key, const wire::Malformed& fault);
  void leave(Reason reason, const char* message);
  void enter(Phase phase);

  Door& door_;
  Strand strand_;
  std::shared_ptr<ByteStream> stream_;
  std::shared_ptr<const ledger::Sender> sender_;
  overload::SenderId sender_id_;
  std::shared_ptr<Outbox> outbox_;
  Latch writer_ended_;
  ReadBuffer buffer_;
  std::vector<overload::Reservation> rooms_;  // for buffer_, one a growth
  std::size_t wanted_ = 0;                    // bytes from the buffer's first on that the frame there needs
  std::size_t skipping_ = 0;                  // bytes still to come of a frame that was not taken
  bool drained_ = true;                       // the last read left nothing in the socket
  fold::ClockSkew skew_;
  Priority last_class_ = Priority::normal;
  bool greeted_ = false;
  bool leaving_ = false;
  BootNs read_at_ = 0;
  std::atomic<Phase> phase_{Phase::greeting};
  std::atomic<BootNs> phase_since_;
};

}  // namespace nissa::ingest
