#include "ledger/ledger.hpp"

#include <algorithm>

#include "ledger/ledger_clock.hpp"
#include "ledger/state_hash.hpp"

namespace nissa::ledger {

Ledger::Ledger(LedgerOptions options, Mode mode)
    : options_(options), mode_(mode), epochs_(options.epochs, options.hash_seed) {}

bool Ledger::catch_up(std::size_t blocks) {
  for (std::size_t looked = 0; looked < blocks_.size(); ++looked) {
    if (next_to_catch_up_ >= blocks_.size()) next_to_catch_up_ = 0;
    const std::unique_ptr<slo::Block>& block = blocks_[next_to_catch_up_].block;
    if (block != nullptr && block->head_ms() < meta_.ledger_ms) {
      if (blocks == 0) return false;
      --blocks;
      block->advance(meta_.ledger_ms);
    }
    ++next_to_catch_up_;
  }
  return true;
}

Stamp Ledger::next_stamp(UnixMs now_ms) const {
  const UnixMs ledger_ms = std::max(meta_.ledger_ms, now_ms);
  return {applied_ + 1, ledger_ms, running_after(meta_.running_ms, meta_.ledger_ms, ledger_ms)};
}

// A block that lags is a cache of a sort: its sums are brought up to its rows and the time, which are the state.
const slo::Block* Ledger::block(std::uint32_t index) const {
  if (index >= blocks_.size() || blocks_[index].block == nullptr) return nullptr;
  slo::Block& block = *blocks_[index].block;
  if (mode_ == Mode::live && block.head_ms() < meta_.ledger_ms) block.advance(meta_.ledger_ms);
  return &block;
}

Lsn Ledger::touched_lsn(std::uint32_t index) const { return index < blocks_.size() ? blocks_[index].touched_lsn : 0; }

std::size_t Ledger::memory_bytes() const {
  std::size_t bytes = blocks_.capacity() * sizeof(Slot) + epochs_.budget().used() + epochs_.tombstone_bytes();
  for (const Slot& slot : blocks_)
    if (slot.block != nullptr) bytes += slot.block->memory_bytes();
  return bytes;
}

std::uint64_t Ledger::state_hash() const {
  StateHash hash;
  hash.add(options_.state_id);
  hash.add(applied_);
  Bytes bytes;
  const auto add = [&](ObjectId object) {
    hash.add(static_cast<std::uint64_t>(object.kind));
    hash.add(object.id);
    hash.add(bytes);
    bytes.clear();
  };
  encode_meta(bytes);
  add({ObjectKind::meta, 0});
  for (slo::SloId id = 0; id < definitions_.size(); ++id)
    if (definitions_.encode(id, bytes)) add(object_of(id));
  for (std::uint32_t index = 0; index < blocks_.size(); ++index) {
    const slo::Block* current = block(index);
    if (current == nullptr) continue;
    current->append_state(bytes);
    add({ObjectKind::block, index});
  }
  for (const EpochObject& object : epochs_.objects()) {
    epochs_.encode(object, bytes);
    add(object_of(object));
  }
  return hash.value();
}

}  // namespace nissa::ledger
