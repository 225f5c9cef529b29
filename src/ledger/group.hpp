// One group of batches: who waits for it, which keys are pending in it, and what else it will put into its record.
// Plain data with look-ups; the rules are in commit_group.hpp. Reused from group to group, so its tables keep their
// memory (bounded by CommitOptions::group_bytes).
#pragma once
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "ledger/epoch_budget.hpp"
#include "ledger/epoch_hash.hpp"
#include "ledger/record.hpp"
#include "ledger/submission.hpp"

namespace nissa::ledger {

// What a waiter will be told when its group is durable.
enum class Role : std::uint8_t {
  first,        // COUNTED: this sending brought the batch
  unkeyed,      // COUNTED: it bears no key, so each sending brings it
  twin,         // DUPLICATE: the same body again, while the first was pending
  conflicting,  // CONFLICT: another body under the same key
};

// One sending that waits for its group.
struct Waiter {
  BatchLine line;
  std::uint32_t reply = 0;  // index in Group::replies
  Role role = Role::first;
  bool told = false;  // it has had its answer (journal_slow); the key stays pending
  BootNs since = 0;
};

// What one connection is told, in one piece.
struct Delivery {
  std::shared_ptr<ReplyTo> to;
  std::vector<Answer> answers;
  std::uint32_t waiters = 0;  // how many of its sendings wait, the told ones too
};

// An epoch with a key in the group.
struct GroupEpoch {
  Epoch epoch = 0;
  EpochSeen seen;
  std::shared_ptr<const Sender> sender;
  // Bytes that its streams may grow by when the group is applied, the most of any one batch.
  std::array<std::size_t, priority_count> growth{};
};

struct KeyHash {
  using is_avalanching = void;
  EpochHash mix;
  std::size_t operator()(const BatchKey& key) const {
    const std::size_t epoch = mix(key.epoch + static_cast<std::uint64_t>(key.priority));
    return mix(epoch ^ key.sequence);
  }
};

struct Group {
  explicit Group(std::uint64_t hash_seed)
      : firsts(0, KeyHash{{hash_seed}}), epoch_places(0, EpochHash{hash_seed}), closing(0, EpochHash{hash_seed}) {}

  std::vector<Waiter> waiters;    // in the order of coming
  std::size_t heard = 0;          // waiters before this one have been looked at by the slow sweep
  std::vector<Delivery> replies;  // without answers, but once it is closed with memory for all that wait
  std::vector<GroupEpoch> epochs;
  std::vector<EndedEpoch> ended;  // with the epoch_seen that the agent declared
  std::vector<Define> defines;
  std::vector<slo::SloId> retired;
  std::size_t batches = 0;
  std::size_t bytes = 0;       // about what all this takes
  EpochBudget reserved{0, 0};  // what its epochs will take once applied

  boost::unordered_flat_map<BatchKey, std::uint32_t, KeyHash> firsts;  // pending keys → index of the first waiter
  boost::unordered_flat_map<Epoch, std::uint32_t, EpochHash> epoch_places;
  boost::unordered_flat_set<Epoch, EpochHash> closing;  // Goodbyes, and once it is closed the forgotten
  boost::unordered_flat_map<const ReplyTo*, std::uint32_t> reply_places;
  bool answers_ready = false;  // it is closed
  Record record;               // then

  bool empty() const { return batches == 0 && ended.empty() && defines.empty() && retired.empty(); }
  const Waiter* first_of(const BatchKey& key) const {
    const auto found = firsts.find(key);
    return found == firsts.end() ? nullptr : &waiters[found->second];
  }
  bool has_key_of(Epoch epoch) const { return epoch_places.contains(epoch); }

  // Memory first: after these, what is named needs none. They fail by std::bad_alloc; nobody waits then who did not.
  void make_room_for_waiter(const std::shared_ptr<ReplyTo>& reply);
  void make_room_for_key(Epoch epoch);
  void make_room_for_answers();
  std::uint32_t place_of(const std::shared_ptr<ReplyTo>& reply);
  GroupEpoch& epoch_of(Epoch epoch, const EpochSeen& seen, const std::shared_ptr<const Sender>& sender);
  void clear();
};

}  // namespace nissa::ledger
