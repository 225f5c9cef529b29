#include "ingest/outbox.hpp"

#include <limits>

#include "ingest/acknowledgement.hpp"

namespace nissa::ingest {
namespace {

// An answer that is none: it wakes the writer for what the session itself has to say, which needs no lock to be left.
constexpr std::uint32_t wake_up = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kept_at_rest = 32;
constexpr std::size_t usual_ack_bytes = 64;

}  // namespace

Outbox::Outbox(const Strand& strand, std::shared_ptr<ByteStream> stream, std::uint32_t most_under_way,
               std::uint64_t state_id, Books& books, const Clock& clock)
    : strand_(strand),
      stream_(std::move(stream)),
      most_(most_under_way),
      state_id_(state_id),
      books_(books),
      clock_(clock),
      waiting_for_slot_(strand) {}

std::uint32_t Outbox::take_slot(const Taken& taken) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = taken;
  return slot;
}

Task<void> Outbox::wait_for_slot() {
  while (full() && !closed_) co_await waiting_for_slot_.park();
}

void Outbox::deliver(std::vector<ledger::Answer> answers) { answers_.deliver(std::move(answers)); }

void Outbox::wake() {
  ledger::Answer none;
  none.token = wake_up;
  answers_.deliver({none});
}

// Once a write: while something is in own_, the wake-up is still in the mailbox.
void Outbox::begin_own() {
  strand_.entered();
  if (own_.empty()) wake();
}

void Outbox::answer(std::uint32_t slot, const wire::Ack& ack) {
  begin_own();
  wire::append_message(own_, ack);
  own_slots_.push_back(slot);
}

void Outbox::encode(const ledger::Answer& answer, Bytes& out, BootNs now) {
  if (answer.token == wake_up) return;
  if (answer.token >= slots_.size()) return violation("ingest", "an answer bears the token of its batch");
  const Taken& taken = slots_[answer.token];
  wire::append_message(out, acknowledgement(answer, state_id_, taken.clock_skew_ms));
  answered_.push_back(answer.token);
  if (answer.status == ledger::AckStatus::counted)
    books_.ack_latency[index_of(answer.key.priority)].observe(now - taken.read_at);
}

void Outbox::written(std::size_t messages) {
  messages_ -= messages;
  free_.insert(free_.end(), answered_.begin(), answered_.end());
  answered_.clear();
  if (under_way() == 0 && slots_.size() > kept_at_rest) {
    slots_ = {};
    free_ = {};
    own_slots_ = {};
    answered_ = {};
  }
  waiting_for_slot_.wake_all();
}

Task<void> Outbox::run() {
  strand_.entered();
  while (!closed_ && !done()) {
    const std::vector<ledger::Answer> answers = co_await answers_.take();
    if (answers.empty()) break;  // closed
    Bytes out = std::exchange(own_, {});
    answered_.swap(own_slots_);  // which the last write has left empty
    const std::size_t messages = messages_;
    const BootNs now = clock_.boot_ns();
    out.reserve(out.size() + answers.size() * usual_ack_bytes);
    for (const ledger::Answer& answer : answers) encode(answer, out, now);
    if (out.empty()) continue;
    writing_since_.store(now, std::memory_order_relaxed);
    if (!co_await stream_->write(out)) break;
    writing_since_.store(0, std::memory_order_relaxed);
    written(messages);
  }
  close();
}

void Outbox::finish() {
  strand_.entered();
  if (std::exchange(finishing_, true)) return;
  wake();  // so that the loop looks again
}

void Outbox::close() {
  strand_.entered();
  if (std::exchange(closed_, true)) return;
  answers_.close();
  stream_->close();
  waiting_for_slot_.wake_all();
}

}  // namespace nissa::ingest
