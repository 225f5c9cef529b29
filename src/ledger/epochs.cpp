#include "ledger/epochs.hpp"

#include <algorithm>
#include <string>

#include "base/violation.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {
namespace {

constexpr std::size_t look_factor = 4;

}  // namespace

Epochs::Epochs(EpochLimits limits, std::uint64_t hash_seed)
    : memory_ms_(limits.memory_ms),
      epochs_(0, EpochHash{hash_seed}),
      budget_(limits.bytes, limits.principal_percent),
      tombstones_(limits.tombstone_bytes, hash_seed) {}

// The least epoch_seen that a batch of an unknown epoch may bear from now on.
RunningMs Epochs::oldest_accepted(RunningMs running_ms, RunningMs floor) const {
  return std::max(running_ms >= memory_ms_ ? running_ms - memory_ms_ + 1 : 0, floor);
}

void Epochs::apply(const Record& record) {
  for (const NewEpoch& fresh : record.new_epochs) begin(fresh, record);
  settle(record);
  for (const EndedEpoch& ended : record.ended) end(ended, record);
  for (const Epoch epoch : record.forgotten) erase(epoch, record);
  pass(record.running_ms, record.floor, record.ended.size());
}

void Epochs::begin(const NewEpoch& fresh, const Record& record) {
  if (const EpochState* known = find(fresh.epoch)) {
    if (record.lsn > known->contained_lsn) violation("ledger", "an epoch begins once");
    return;
  }
  std::unique_ptr<EpochState>* const made = reserved(fresh.epoch);
  auto state = made != nullptr && *made != nullptr ? std::move(*made) : std::make_unique<EpochState>();
  state->seen = fresh.seen;
  state->last_running_ms = record.running_ms;
  state->agent = fresh.agent;
  state->principal = fresh.principal;
  insert(fresh.epoch, std::move(state));
}

EpochState& Epochs::insert(Epoch epoch, std::unique_ptr<EpochState> state) {
  EpochState& placed = *(epochs_[epoch] = std::move(state));
  placed.due_key_ms = placed.last_running_ms;
  due_.insert({placed.due_key_ms, epoch});
  budget_.charge(placed.principal, placed.bytes());
  return placed;
}

EpochState* Epochs::to_settle(Epoch epoch, const Record& record) {
  if (const auto found = epochs_.find(epoch); found != epochs_.end())
    return record.lsn > found->second->contained_lsn ? found->second.get() : nullptr;
  if (record.lsn <= complete_) return nullptr;  // it ended before its row was due, by a record that is still to come
  violation("ledger", "the epoch of a counted batch is known");
  // Its keys must not be lost: a twin would be counted again.
  return &insert(epoch, std::make_unique<EpochState>());
}

void Epochs::settle(const Record& record) {
  Epoch current = 0;
  EpochState* state = nullptr;
  for (const CountedBatch& batch : record.batches) {
    if (batch.key.epoch != current || current == 0) {
      current = batch.key.epoch;
      state = to_settle(current, record);
      if (state != nullptr) {
        state->changed_lsn = record.lsn;
        state->last_running_ms = record.running_ms;
        queue({EpochObject::Kind::epoch, current}, state->queued);
      }
    }
    if (state == nullptr) continue;
    StreamWindow& stream = state->stream(batch.key.priority);
    const std::size_t before = stream.heap_bytes();
    stream.settle(batch.key.sequence, batch.settled_below, batch.print);
    if (record.lsn != reserved_lsn_) stream.trim();  // replayed: as reserve() did when it was live
    const std::size_t after = stream.heap_bytes();
    if (after > before) budget_.charge(state->principal, after - before);
    if (after < before) budget_.release(state->principal, before - after);
  }
}

void Epochs::end(const EndedEpoch& ended, const Record& record) {
  erase(ended.epoch, record);
  Tombstone* known = tombstones_.find(ended.epoch);
  if (known != nullptr && record.lsn <= known->contained_lsn) return;
  if (ended.seen.running_ms < oldest_accepted(record.running_ms, record.floor))
    return;  // its epoch_seen alone keeps it out
  Tombstone tombstone{.seen = ended.seen, .changed_lsn = record.lsn, .queued = known != nullptr && known->queued};
  queue({EpochObject::Kind::tombstone, ended.epoch}, tombstone.queued);
  tombstones_.put(ended.epoch, tombstone);
}

void Epochs::erase(Epoch epoch, const Record& record) {
  const auto found = epochs_.find(epoch);
  if (found == epochs_.end() || record.lsn <= found->second->contained_lsn) return;
  EpochState& state = *found->second;
  queue({EpochObject::Kind::epoch, epoch}, state.queued);
  due_.erase({state.due_key_ms, epoch});
  budget_.release(state.principal, state.bytes());
  epochs_.erase(found);
}

// Dead tombstones go faster than new ones come.
void Epochs::pass(RunningMs running_ms, RunningMs floor, std::size_t ended) {
  floor_ = std::max(floor_, floor);
  tombstones_.raise(oldest_accepted(running_ms, floor));
  tombstones_.sweep(sweep_slice + 2 * ended, gone_);
  for (const Epoch epoch : gone_) push_changed({EpochObject::Kind::tombstone, epoch});
  gone_.clear();
}

const EpochState* Epochs::find(Epoch epoch) const {
  const auto found = epochs_.find(epoch);
  return found == epochs_.end() ? nullptr : found->second.get();
}

bool Epochs::accepts_unknown(Epoch epoch, const EpochSeen& seen, const StateNow& now) const {
  return seen.state_id == now.state_id && seen.running_ms <= now.running_ms &&
         now.running_ms - seen.running_ms < memory_ms_ && seen.running_ms >= floor_ && !ended(epoch);
}

std::vector<Epoch> Epochs::to_forget(RunningMs running_ms, std::size_t most, const std::function<bool(Epoch)>& keep) {
  std::vector<Epoch> chosen;
  const auto& in_order = due_.all();
  auto next = in_order.begin();
  for (std::size_t looked = 0; looked < most * look_factor && chosen.size() < most && next != in_order.end();
       ++looked) {
    const auto [key_ms, epoch] = *next;
    if (running_ms < key_ms || running_ms - key_ms < memory_ms_) break;
    EpochState& state = *epochs_.find(epoch)->second;
    if (state.last_running_ms != key_ms) {
      ++next;
      state.due_key_ms = state.last_running_ms;
      due_.move({key_ms, epoch}, {state.due_key_ms, epoch});
      // It may stand before `next` now, if it is due all the same: then the next group finds it.
      continue;
    }
    if (!keep(epoch)) chosen.push_back(epoch);
    ++next;
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

std::vector<Epoch> Epochs::latest(std::size_t most) const {
  std::vector<Epoch> list;
  const auto& in_order = due_.all();
  for (auto one = in_order.rbegin(); one != in_order.rend() && list.size() < most; ++one) list.push_back(one->second);
  return list;
}

void Epochs::queue(const EpochObject& object, bool& queued) {
  if (queued) return;
  queued = true;
  push_changed(object);
}

void Epochs::push_changed(const EpochObject& object) {
  reserve_changed(1);
  changed_.push_back(object);
}

std::optional<EpochObject> Epochs::take_changed() {
  if (changed_.empty()) return std::nullopt;
  const EpochObject object = changed_.front();
  changed_.pop_front();
  if (object.kind == EpochObject::Kind::epoch) {
    if (const auto found = epochs_.find(object.epoch); found != epochs_.end()) found->second->queued = false;
  } else if (Tombstone* found = tombstones_.find(object.epoch)) {
    found->queued = false;
  }
  return object;
}

void Epochs::put_back(const EpochObject& object) {
  if (object.kind == EpochObject::Kind::epoch) {
    if (const auto found = epochs_.find(object.epoch); found != epochs_.end()) found->second->queued = true;
  } else if (Tombstone* found = tombstones_.find(object.epoch)) {
    found->queued = true;
  }
  reserve_changed(1);
  changed_.push_front(object);
}

void Epochs::for_each_changed(const std::function<void(const EpochObject&, Lsn)>& visit) const {
  for (const EpochObject& object : changed_) {
    Lsn lsn = 0;
    if (object.kind == EpochObject::Kind::epoch) {
      if (const EpochState* state = find(object.epoch)) lsn = state->changed_lsn;
    } else if (const Tombstone* tombstone = tombstones_.find(object.epoch)) {
      lsn = tombstone->changed_lsn;
    }
    visit(object, lsn);
  }
}

bool Epochs::encode(const EpochObject& object, Bytes& out) const {
  if (object.kind == EpochObject::Kind::epoch) {
    const EpochState* state = find(object.epoch);
    if (state != nullptr) ledger::encode(*state, out);
    return state != nullptr;
  }
  const Tombstone* tombstone = tombstones_.find(object.epoch);
  if (tombstone != nullptr) ledger::encode(*tombstone, out);
  return tombstone != nullptr;
}

std::vector<EpochObject> Epochs::objects() const {
  std::vector<EpochObject> all;
  for (const auto& one : epochs_) all.push_back({EpochObject::Kind::epoch, one.first});
  std::sort(all.begin(), all.end());
  for (const Epoch epoch : tombstones_.epochs()) all.push_back({EpochObject::Kind::tombstone, epoch});
  return all;
}

Status Epochs::load(const EpochObject& object, ByteView value, Lsn lsn) {
  if (object.kind == EpochObject::Kind::tombstone) {
    auto tombstone = decode_tombstone(value);
    if (!tombstone) return std::unexpected(tombstone.error());
    tombstone->changed_lsn = tombstone->contained_lsn = lsn;
    tombstones_.put(object.epoch, *tombstone);
    return {};
  }
  auto state = decode_epoch(value);
  if (!state) return std::unexpected(state.error());
  if (find(object.epoch) != nullptr) return failure("two rows of one epoch");
  state->changed_lsn = state->contained_lsn = lsn;
  insert(object.epoch, std::make_unique<EpochState>(std::move(*state)));
  return {};
}

void Epochs::load_now(RunningMs running_ms, RunningMs floor) { pass(running_ms, floor, 0); }

}  // namespace nissa::ledger
