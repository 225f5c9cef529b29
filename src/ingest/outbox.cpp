#include "ingest/outbox.hpp"

#include "ingest/acknowledgement.hpp"

namespace nissa::ingest {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

Outbox::Outbox(const Strand& strand, std::shared_ptr<ByteStream> stream, std::uint32_t slots, std::uint64_t state_id,
               Books& books, const Clock& clock)
    : strand_(strand),
      stream_(std::move(stream)),
      state_id_(state_id),
      books_(books),
      clock_(clock),
      waiting_for_slot_(strand),
      slots_(slots) {
  for (std::uint32_t slot = slots; slot-- > 0;) free_.push_back(slot);
}

std::uint32_t Outbox::take_slot(const Taken& taken) {
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = taken;
  return slot;
}

Task<void> Outbox::wait_for_slot() {
  while (full() && !closed_) co_await waiting_for_slot_.park();
}

void Outbox::deliver(std::vector<ledger::Answer> answers) {
  std::vector<Item> items(std::make_move_iterator(answers.begin()), std::make_move_iterator(answers.end()));
  items_.deliver(std::move(items));
}

void Outbox::answer(std::uint32_t slot, const wire::Ack& ack) {
  OwnAck own{slot, {}};
  wire::append_message(own.framed, ack);
  std::vector<Item> items;
  items.emplace_back(std::move(own));
  items_.deliver(std::move(items));
}

void Outbox::say(Bytes framed) {
  ++unwritten_messages_;
  std::vector<Item> items;
  items.emplace_back(std::move(framed));
  items_.deliver(std::move(items));
}

void Outbox::append(Bytes& out, const Item& item, BootNs now) {
  std::visit(Overloaded{[&](const ledger::Answer& answer) {
                          const Taken& taken = slots_[answer.token];
                          wire::append_message(out, acknowledgement(answer, state_id_, taken.clock_skew_ms));
                          answered_.push_back(answer.token);
                          if (answer.status == ledger::AckStatus::counted)
                            books_.of(answer.key.priority).ack_latency.observe(now - taken.read_at);
                        },
                        [&](const OwnAck& own) {
                          out.insert(out.end(), own.framed.begin(), own.framed.end());
                          answered_.push_back(own.slot);
                        },
                        [&](const Bytes& framed) {
                          out.insert(out.end(), framed.begin(), framed.end());
                          ++messages_in_write_;
                        }},
             item);
}

void Outbox::release_answered() {
  free_.insert(free_.end(), answered_.begin(), answered_.end());
  answered_.clear();
  unwritten_messages_ -= std::exchange(messages_in_write_, 0);
  waiting_for_slot_.wake_all();
}

Task<void> Outbox::run() {
  Bytes out;
  while (!closed_) {
    if (finishing_ && under_way() == 0) break;
    std::vector<Item> items = co_await items_.take();
    if (items.empty()) break;
    out.clear();
    const BootNs now = clock_.boot_ns();
    for (const Item& item : items) append(out, item, now);
    writing_since_.store(now, std::memory_order_relaxed);
    if (!out.empty() && !co_await stream_->write(out)) break;
    writing_since_.store(0, std::memory_order_relaxed);
    release_answered();
  }
  close();
}

void Outbox::finish() {
  finishing_ = true;
  say({});  // so that the loop looks again
}

void Outbox::close() {
  closed_ = true;
  items_.close();
  stream_->close();
  waiting_for_slot_.wake_all();
}

}  // namespace nissa::ingest
