#include "client/keyed_epoch.hpp"

#include <utility>

#include "base/violation.hpp"

namespace nissa::client {
namespace {

constexpr std::uint64_t widest_restored = 4'096;

}  // namespace

bool KeyedEpoch::restore(Sequence sequence, Body&& body) {
  if (sequence == 0) return false;
  if (slots_.empty()) first_ = sequence;
  if (sequence < first_ + slots_.size() || sequence - first_ >= widest_restored) return false;
  slots_.resize(sequence - first_);  // those between were settled
  slots_.emplace_back(Keyed{std::move(body), false, true, 0, true});
  ++waiting_;
  return true;
}

Keyed* KeyedEpoch::key(Body&& body, BootNs now, Sequence& sequence) {
  sequence = first_ + slots_.size();
  slots_.emplace_back(Keyed{std::move(body), true, false, now});
  return &*slots_.back();
}

Keyed* KeyedEpoch::find(Sequence sequence) {
  if (sequence < first_ || sequence - first_ >= slots_.size()) return nullptr;
  auto& slot = slots_[sequence - first_];
  return slot ? &*slot : nullptr;
}

Sequence KeyedEpoch::first_waiting() const {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (slots_[i] && !slots_[i]->in_flight) return first_ + i;
  violation("client", "waiting() counts the batches that wait");
  return first_;
}

void KeyedEpoch::sent_again(Keyed& batch, BootNs now) {
  batch.in_flight = true;
  batch.sent_at = now;
  --waiting_;
}

void KeyedEpoch::answered_for_retry(Keyed& batch) {
  if (!batch.in_flight) return;
  batch.in_flight = false;
  ++waiting_;
}

void KeyedEpoch::lost() {
  for (auto& slot : slots_) {
    if (!slot || !slot->in_flight) continue;
    slot->in_doubt = true;
    answered_for_retry(*slot);
  }
}

Body KeyedEpoch::settle(Sequence sequence) {
  auto& slot = slots_[sequence - first_];
  if (!slot->in_flight) --waiting_;
  Body body = std::move(slot->body);
  slot.reset();
  while (!slots_.empty() && !slots_.front()) {
    slots_.pop_front();
    ++first_;
  }
  return body;
}

bool KeyedEpoch::fresh(EpochSeen now, RunningMs fresh_for_ms) const {
  if (now.state_id != seen_.state_id) return false;
  return now.running_ms <= fresh_at_ || now.running_ms - fresh_at_ < fresh_for_ms;
}

void KeyedEpoch::counted_at(EpochSeen now) {
  if (now.state_id == seen_.state_id && now.running_ms > fresh_at_) fresh_at_ = now.running_ms;
}

}  // namespace nissa::client
