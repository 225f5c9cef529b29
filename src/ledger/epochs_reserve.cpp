// Memory for the record that is applied next (epochs.hpp): what is made lies beside the epochs until apply() takes it.
#include <algorithm>

#include "ledger/epochs.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {

void Epochs::reserve(const Record& record) {
  reserved_lsn_ = 0;
  reserve_epochs(record);
  reserve_windows(record);
  const std::size_t swept = sweep_slice + 2 * record.ended.size();
  make_room(gone_, swept);
  reserve_changed(record.batches.size() + 2 * record.ended.size() + record.forgotten.size() + swept);
  tombstones_.make_room(record.ended.size());
  reserved_lsn_ = record.lsn;
}

void Epochs::reserve_epochs(const Record& record) {
  reserved_.clear();
  if (record.new_epochs.empty()) return;
  make_room(epochs_, record.new_epochs.size());
  due_.make_room(record.new_epochs.size());
  make_room(reserved_, record.new_epochs.size());
  for (const NewEpoch& fresh : record.new_epochs) {
    auto state = std::make_unique<EpochState>();
    state->agent = fresh.agent;
    state->principal = fresh.principal;
    budget_.make_room(fresh.principal);
    reserved_.push_back({fresh.epoch, std::move(state)});
  }
  std::ranges::sort(reserved_, {}, &ReservedEpoch::epoch);
}

// A window changes its size here alone, which no state depends on.
void Epochs::reserve_windows(const Record& record) {
  Epoch current = 0;
  EpochState* state = nullptr;
  bool charged = false;
  const auto resize = [&](StreamWindow& stream, auto change) {
    const std::size_t before = stream.heap_bytes();
    change(stream);
    const std::size_t after = stream.heap_bytes();
    if (charged && after > before) budget_.charge(state->principal, after - before);
    if (charged && after < before) budget_.release(state->principal, before - after);
  };
  for (const CountedBatch& batch : record.batches) {
    if (batch.key.epoch != current || current == 0) {
      current = batch.key.epoch;
      const auto found = epochs_.find(current);
      charged = found != epochs_.end();
      const std::unique_ptr<EpochState>* const fresh = charged ? nullptr : reserved(current);
      state = charged ? found->second.get() : fresh != nullptr ? fresh->get() : nullptr;
      if (const auto mark = static_cast<std::uint32_t>(record.lsn); state != nullptr && state->trimmed_for != mark) {
        for (StreamWindow& stream : state->streams) resize(stream, [](StreamWindow& one) { one.trim(); });
        state->trimmed_for = mark;
      }
    }
    if (state == nullptr) continue;
    resize(state->stream(batch.key.priority),
           [&batch](StreamWindow& one) { one.make_room(batch.key.sequence, batch.settled_below); });
  }
}

void Epochs::reserve_changed(std::size_t more) {
  if (changed_.reserve() < more)
    changed_.set_capacity(std::max(changed_.size() + std::max(more, sweep_slice), 2 * changed_.capacity()));
}

// nullptr: none was made.
std::unique_ptr<EpochState>* Epochs::reserved(Epoch epoch) {
  const auto place = std::ranges::lower_bound(reserved_, epoch, {}, &ReservedEpoch::epoch);
  return place != reserved_.end() && place->epoch == epoch ? &place->state : nullptr;
}

}  // namespace nissa::ledger
