// The way back of one connection: answers from the ledger and from the session become acks on the socket, as many in
// one write as there are. It also bounds what is under way: a batch has a slot from when it was read until its ack is
// written, and a connection without a free slot is not read.
//
// Outlives its session: a group in the ledger holds it, and an answer that comes too late is counted and dropped (the
// agent asks again and is told DUPLICATE).
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <variant>
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

// Thread statement: deliver() from the ledger's strand, all else on the connection's strand.
class Outbox final : public ledger::ReplyTo {
 public:
  Outbox(const Strand& strand, std::shared_ptr<ByteStream> stream, std::uint32_t slots, std::uint64_t state_id,
         Books& books, const Clock& clock);

  // --- Batches under way.
  struct Taken {
    BootNs read_at = 0;
    std::int32_t clock_skew_ms = 0;
  };
  // Also when messages without a slot pile up, because the agent does not read.
  bool full() const { return free_.empty() || unwritten_messages_ >= slots_.size(); }
  std::uint32_t take_slot(const Taken& taken);
  std::size_t under_way() const { return slots_.size() - free_.size(); }
  // Waits until a slot is free, or the way back is closed.
  Task<void> wait_for_slot();

  // --- What goes back.
  void deliver(std::vector<ledger::Answer> answers) override;
  // An answer of the session's own to a batch that has a slot.
  void answer(std::uint32_t slot, const wire::Ack& ack);
  // Any other message, ready for the socket.
  void say(Bytes framed);

  // The writer's loop: ends when closed, or when nothing more can be written.
  Task<void> run();
  // Ends the loop once all slots are answered and written.
  void finish();
  void close();
  bool closed() const { return closed_; }
  // Any thread: since when a write has made no progress; 0: none is under way.
  BootNs writing_since() const { return writing_since_.load(std::memory_order_relaxed); }

 private:
  struct OwnAck {
    std::uint32_t slot;
    Bytes framed;
  };
  using Item = std::variant<ledger::Answer, OwnAck, Bytes>;

  void append(Bytes& out, const Item& item, BootNs now);
  void release_answered();

  Strand strand_;
  std::shared_ptr<ByteStream> stream_;
  const std::uint64_t state_id_;
  Books& books_;
  const Clock& clock_;
  Mailbox<Item> items_;
  Parking waiting_for_slot_;
  std::vector<Taken> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> answered_;  // in the write under way
  std::size_t unwritten_messages_ = 0;
  std::size_t messages_in_write_ = 0;
  std::atomic<BootNs> writing_since_{0};
  bool finishing_ = false;
  bool closed_ = false;
};

}  // namespace nissa::ingest
