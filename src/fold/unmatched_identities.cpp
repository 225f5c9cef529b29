#include "fold/unmatched_identities.hpp"

#include <algorithm>
#include <utility>

#include "wire/event_walk.hpp"

namespace nissa::fold {

void UnmatchedIdentities::learned(ByteView identity, UnixMs ledger_ms) {
  if (identity.size() > longest) return;
  const Lock lock(mutex_);
  auto slot = std::ranges::find_if(slots_, [&](const Slot& one) { return std::ranges::equal(one.identity, identity); });
  if (slot == slots_.end()) {
    if (slots_.size() < kept) {
      Slot fresh{.identity = Bytes(identity.begin(), identity.end())};
      slot = slots_.insert(slots_.end(), std::move(fresh));
    } else {
      slot = std::ranges::min_element(slots_, {}, &Slot::order);
      slot->identity.assign(identity.begin(), identity.end());
    }
  }
  slot->learned_ms = ledger_ms;
  slot->order = ++learned_;
}

void UnmatchedIdentities::clear() {
  const Lock lock(mutex_);
  slots_.clear();
}

std::vector<UnmatchedIdentity> UnmatchedIdentities::latest() const {
  std::vector<Slot> slots;
  {
    const Lock lock(mutex_);
    slots = slots_;
  }
  std::ranges::sort(slots, std::ranges::greater(), &Slot::order);
  std::vector<UnmatchedIdentity> all;
  for (const Slot& slot : slots) {
    const auto identity = wire::prove_identity(slot.identity);
    if (!identity) continue;  // it was proven before it came here
    UnmatchedIdentity& one = all.emplace_back();
    one.service = identity->service;
    one.operation = identity->operation;
    for (const wire::LabelView& label : identity->labels) one.labels.emplace_back(label.key, label.value);
    one.learned_ms = slot.learned_ms;
  }
  return all;
}

}  // namespace nissa::fold
