// The way back of one connection: answers from the ledger and from the session become acks on the socket, as many in
// one write as there are. It also bounds what is under way: a batch has a slot from when it was read until its ack is
// written, and a connection without a free slot is not read.
//
// Outlives its session: a group in the ledger holds it, and an answer that comes too late is dropped (the agent asks
// again and is told DUPLICATE).
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "async/byte_stream.hpp"
#include "async/mailbox.hpp"
#include "async/parking.hpp"
#include "async/strand.hpp"
#include "base/clock.hpp"
#include "ingest/books.hpp"
#include "ledger/submission.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {

// Thread statement: deliver() from any strand, writing_since() from any thread, all else on the connection's strand.
// Cost: one wake a group and connection, some 100 ns an ack. Idle it holds no buffer and at most 32 slots.
class Outbox final : public ledger::ReplyTo {
 public:
  Outbox(const Strand& strand, std::shared_ptr<ByteStream> stream, std::uint32_t most_under_way, std::uint64_t state_id,
         Books& books, const Clock& clock);

  // --- Batches under way.
  struct Taken {
    BootNs read_at = 0;
    std::int64_t clock_skew_ms = 0;
  };
  // Also when messages without a slot pile up, because the agent does not read.
  bool full() const { return under_way() >= most_ || messages_ >= most_; }
  // Only while it is not full.
  std::uint32_t take_slot(const Taken& taken);
  std::size_t under_way() const { return slots_.size() - free_.size(); }
  // Waits until it is not full, or the way back is closed.
  Task<void> wait_for_slot();

  // --- What goes back.
  void deliver(std::vector<ledger::Answer> answers) override;
  // An answer of the session's own to a batch that has a slot.
  void answer(std::uint32_t slot, const wire::Ack& ack);
  // Any other message.
  template <class Message>
  void say(const Message& message) {
    begin_own();
    wire::append_message(own_, message);
    ++messages_;
  }

  // The writer's loop: ends when closed, or when nothing more can be written.
  Task<void> run();
  // Ends the loop once all slots are answered and all is written.
  void finish();
  void close();
  bool closed() const { return closed_; }
  // Since when a write has made no progress; 0: none is under way.
  BootNs writing_since() const { return writing_since_.load(std::memory_order_relaxed); }

 private:
  void begin_own();
  void wake();
  bool done() const { return finishing_ && under_way() == 0 && messages_ == 0; }
  void encode(const ledger::Answer& answer, Bytes& out, BootNs now);
  void written(std::size_t messages);

  const Strand strand_;
  const std::shared_ptr<ByteStream> stream_;
  const std::uint32_t most_;
  const std::uint64_t state_id_;
  Books& books_;
  const Clock& clock_;
  Mailbox<ledger::Answer> answers_;
  Parking waiting_for_slot_;
  std::vector<Taken> slots_;  // as many as were ever under way at once since the last rest
  std::vector<std::uint32_t> free_;
  Bytes own_;                             // the session's own messages, encoded, for the next write
  std::vector<std::uint32_t> own_slots_;  // answered by them
  std::vector<std::uint32_t> answered_;   // in the write under way
  std::size_t messages_ = 0;              // without a slot, in own_ and in the write under way
  std::atomic<BootNs> writing_since_{0};
  bool finishing_ = false;
  bool closed_ = false;
};

}  // namespace nissa::ingest
