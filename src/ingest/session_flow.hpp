// THE FLOW: what happens to a connection's bytes until its batches are acknowledged. The steps stand in serve().
#pragma once
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
#include "ingest/patience.hpp"
#include "ingest/read_buffer.hpp"
#include "wire/frame.hpp"
#include "wire/header_peek.hpp"

namespace nissa::ingest {

// Thread statement: wants_attention() from any thread, all else on the connection's strand.
// Bounds: the read buffer by the gate, batches under way by the outbox. Idle: no buffer.
class SessionFlow {
 public:
  // `lobby` outlives it; it outlives run().
  SessionFlow(Lobby& lobby, const Strand& strand, std::shared_ptr<ByteStream> stream, const PeerAddress& peer);

  // Until the agent or the server ends the connection, and all that was taken is answered. Closes the stream.
  Task<void> run();

  // Whether attend() would find something to do.
  bool wants_attention(BootNs now) const;
  // Sends away who is overdue; cuts off who does not read its acks; takes room from who stands still.
  void attend(BootNs now);
  // The server stops: read no more, answer what is in hand.
  void go_away();
  // Ends it now: what is not answered yet will not be, here.
  void cut() { outbox_->close(); }

 private:
  // A batch with the slot that its ack will use. `bytes` lie in the buffer, until the next read.
  struct Arrived {
    wire::BatchHeader header;
    ByteView bytes;
    std::uint32_t slot = 0;
    std::int64_t skew_ns = 0;
  };
  // Why take_frames returned.
  enum class Next : std::uint8_t {
    read,   // no complete frame is left, or none is wanted
    slot,   // too many answers are under way
    small,  // `small_` is to be answered, behind the batches before it
  };
  struct Small {
    wire::FrameKind kind = wire::FrameKind::unknown;
    ByteView payload;
  };
  using Batches = std::vector<Arrived>;

  // --- session_flow.cpp: the steps.
  Task<void> serve();
  Task<bool> read_more();
  Next take_frames(Batches& batches);
  Task<void> admit_and_commit(std::span<const Arrived> batches);
  static std::size_t most_cells(std::span<const Arrived> batches);
  void fold_and_commit(std::span<const Arrived> batches);
  void fold_one(const Arrived& batch, UnixMs now_ms, ledger::Submission& submission);

  // --- session_room.cpp: the buffer and the gate.
  Task<bool> get_room();
  Task<bool> wait_for_room();
  Task<std::optional<overload::Refusal>> hold(Priority priority, std::size_t capacity);
  void grow(overload::Reservation room);
  void shrink_to_frame();
  void give_back_buffer();

  // --- session_frames.cpp: one frame.
  void take_frame(const wire::FrameStep<wire::FrameKind>& step, Batches& batches);
  void look_at_partial(const wire::FrameStep<wire::FrameKind>& step);
  void skip_partial();
  Arrived arrive(const wire::BatchHeader& header, ByteView bytes);
  // Over TCP a batch without a key is malformed: its books are those of the others.
  ClassBooks& books_of(Priority priority) { return door_.books.keyed[index_of(priority)]; }
  void take_in_hand(Priority priority);
  void out_of_hand(Priority priority, std::uint64_t batches);
  std::optional<wire::Malformed> fault_of(const wire::BatchHeader& header) const;
  Task<void> answer_small();
  Task<void> on_hello(ByteView payload);
  void on_heartbeat(ByteView payload);
  void on_goodbye(ByteView payload);
  void on_control(ByteView payload);
  void refuse(const Arrived& batch, Reason reason, std::uint32_t retry_after_ms);
  void malformed_batch(const Arrived& batch, const wire::Malformed& fault);
  void malformed_frame(std::optional<BatchKey> key, const wire::Malformed& fault);

  // --- session_end.cpp
  void leave(Reason reason, const char* message);
  bool unread_for_too_long(BootNs now) const;

  Lobby& lobby_;
  const Door& door_;
  const Strand strand_;
  const std::shared_ptr<ByteStream> stream_;
  std::shared_ptr<const ledger::Sender> sender_;
  const overload::SenderId sender_id_;
  const std::shared_ptr<Outbox> outbox_;
  Latch writer_ended_;
  Patience patience_;
  fold::ClockSkew skew_;
  bool greeted_ = false;
  bool leaving_ = false;
  std::array<std::uint64_t, priority_count> in_hand_{};  // this connection's part of ClassBooks::in_hand

  // --- The buffer.
  ReadBuffer buffer_;
  std::vector<overload::Reservation> rooms_;  // for buffer_: together its capacity
  std::optional<Priority> class_;             // of the last batch: each class has its own connection
  bool drained_ = true;                       // the last read left nothing in the socket
  bool waiting_ = false;                      // for the socket; nothing reads into the buffer
  BootNs read_at_ = 0;                        // the last read, on two clocks
  UnixMs arrival_ms_ = 0;

  // --- The frame at the buffer's front.
  std::size_t wanted_ = 0;                    // bytes of it that must be there to get further
  std::size_t partial_size_ = 0;              // all of it, once known
  std::optional<wire::BatchHeader> partial_;  // not complete yet, but its header was read and is sound
  std::size_t skipping_ = 0;                  // bytes still to come of a frame that was not taken
  Small small_;
};

}  // namespace nissa::ingest
