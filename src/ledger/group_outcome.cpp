// What becomes of a group: it closes, and is durable, has failed, or is slow. What comes in is in commit_group.cpp.
#include <iterator>
#include <limits>

#include "base/violation.hpp"
#include "ledger/commit_group.hpp"

namespace nissa::ledger {
namespace {

// In one record: the others in the next ones. Well below a millisecond.
constexpr std::size_t most_forgotten = 256;

template <class T>
void put_first(std::vector<T>& list, std::vector<T>& first) {
  first.insert(first.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
  list = std::move(first);
  first.clear();
}

}  // namespace

const Record& CommitGroup::close(Lsn lsn, UnixMs ledger_ms, RunningMs running_ms) {
  if (in_flight_now_) {
    violation("ledger", "one group is in flight at most");
    return in_flight_.record;
  }
  std::swap(open_, in_flight_);
  in_flight_now_ = true;
  Group& group = in_flight_;
  Record& record = group.record;
  record.lsn = lsn;
  record.ledger_ms = ledger_ms;
  record.running_ms = running_ms;
  fill_epochs(group, record);
  record.batches.reserve(group.batches);
  for (const Waiter& waiter : group.waiters)
    if (waiter.role == Role::first)
      record.batches.push_back(
          {.key = waiter.line.key, .settled_below = waiter.line.settled_below, .print = waiter.line.print});
  fill_ended(group, record);
  // Never one with a key in this group: it would be counted and forgotten at once, and a copy counted again.
  record.forgotten = epochs_.to_forget(running_ms, most_forgotten, [&group](Epoch epoch) {
    return group.has_key_of(epoch) || group.closing.contains(epoch);
  });
  group.closing.insert(record.forgotten.begin(), record.forgotten.end());
  record.floor = epochs_.floor_with(record.ended);
  record.counts = counts_.expand(sets_);
  record.defines = group.defines;
  record.retired = group.retired;
  return record;
}

void CommitGroup::fill_epochs(const Group& group, Record& record) const {
  for (const GroupEpoch& one : group.epochs) {
    if (epochs_.find(one.epoch) != nullptr) continue;
    record.new_epochs.push_back(
        {.epoch = one.epoch, .seen = one.seen, .agent = one.sender->agent, .principal = one.sender->principal});
  }
}

void CommitGroup::fill_ended(const Group& group, Record& record) const {
  for (EndedEpoch ended : group.ended) {
    // Copies of its batches bear what its batches bore, whatever the Goodbye says.
    if (const EpochState* known = epochs_.find(ended.epoch)) {
      ended.seen = known->seen;
    } else if (const auto place = group.epoch_places.find(ended.epoch); place != group.epoch_places.end()) {
      ended.seen = group.epochs[place->second].seen;
    } else if (!epochs_.accepts_unknown(ended.epoch, ended.seen, now_)) {
      continue;  // forgotten or failed since it came, and nobody vouches for what it declares: that may be any time
    }
    record.ended.push_back(ended);
  }
}

std::vector<Delivery> CommitGroup::durable() {
  if (!in_flight_now_) {
    violation("ledger", "what is durable was in flight");
    return {};
  }
  Group& group = in_flight_;
  now_.running_ms = group.record.running_ms;
  counters_.groups.add();
  counters_.group_batches.add(group.batches);
  counters_.group_counts.add(group.record.counts.size());
  counters_.goodbyes.add(group.record.ended.size());
  counters_.forgotten.add(group.record.forgotten.size());
  for (const Waiter& waiter : group.waiters) {
    if (waiter.role != Role::first && waiter.role != Role::unkeyed) continue;
    ClassBooks& book = books(waiter.line);
    book.batch_events.add(waiter.line.event_count);
    book.events_accepted.add(waiter.line.accepted);
    book.events_late.add(waiter.line.late);
    for (std::size_t i = 0; i < event_fault_count; ++i) book.events_rejected[i].add(waiter.line.rejected[i]);
    counters_.unmatched_events.add(waiter.line.unmatched);
    counters_.fanout_dropped.add(waiter.line.fanout_dropped);
    if (waiter.told) book.counted_unheard.add();
  }
  auto deliveries = tell(group, 0, group.waiters.size(), [this](const Waiter& waiter) { return final_answer(waiter); });
  end_flight();
  counters_.epochs.set(epochs_.size());
  counters_.epoch_bytes.set(epochs_.budget().used());
  counters_.tombstones.set(epochs_.tombstones());
  counters_.open_bytes.set(open_.bytes);
  return deliveries;
}

Answer CommitGroup::final_answer(const Waiter& waiter) {
  if (waiter.role == Role::twin) return answer(waiter.line, AckStatus::duplicate);
  if (waiter.role == Role::conflicting) return answer(waiter.line, AckStatus::conflict);
  Answer counted = answer(waiter.line, AckStatus::counted);
  counted.accepted = waiter.line.accepted;
  counted.late = waiter.line.late;
  counted.rejected = waiter.line.rejected;
  counted.unmatched = waiter.line.unmatched;
  return counted;
}

std::vector<Delivery> CommitGroup::failed() {
  if (!in_flight_now_) {
    violation("ledger", "what has failed was in flight");
    return {};
  }
  counters_.groups_failed.add();
  Group& group = in_flight_;
  auto deliveries = tell(group, 0, group.waiters.size(),
                         [this](const Waiter& waiter) { return refuse(waiter.line, Reason::journal); });
  // Nobody would say these again. What was to be forgotten is decided anew when the next group closes.
  for (const EndedEpoch& ended : group.ended) open_.closing.insert(ended.epoch);
  open_.bytes += group.ended.size() * sizeof(EndedEpoch);
  put_first(open_.ended, group.ended);
  put_first(open_.defines, group.defines);
  put_first(open_.retired, group.retired);
  end_flight();
  return deliveries;
}

void CommitGroup::end_flight() {
  in_flight_.clear();
  in_flight_now_ = false;
  open_.bytes -= joined_late_bytes_;
  joined_late_bytes_ = 0;
}

std::vector<Delivery> CommitGroup::tell_slow(BootNs now_ns) {
  std::vector<Delivery> all;
  for (Group* group : {&in_flight_, &open_}) {
    std::size_t to = group->heard;
    while (to < group->waiters.size() && now_ns - group->waiters[to].since >= options_.slow_after_ns) ++to;
    auto some = tell(*group, group->heard, to,
                     [this](const Waiter& waiter) { return refuse(waiter.line, Reason::journal_slow); });
    group->heard = to;
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

std::vector<Delivery> CommitGroup::tell_all_slow() { return tell_slow(std::numeric_limits<BootNs>::max()); }

BootNs CommitGroup::next_slow_at() const {
  BootNs next = std::numeric_limits<BootNs>::max();
  for (const Group* group : {&in_flight_, &open_})
    if (group->heard < group->waiters.size())
      next = std::min(next, group->waiters[group->heard].since + options_.slow_after_ns);
  return next;
}

template <class F>
std::vector<Delivery> CommitGroup::tell(Group& group, std::size_t from, std::size_t to, F answer_of) {
  std::vector<Delivery> deliveries;
  if (from == to) return deliveries;
  std::vector<std::uint32_t> places(group.replies.size());  // by reply: 1 + index in deliveries
  for (std::size_t i = from; i < to; ++i) {
    Waiter& waiter = group.waiters[i];
    if (waiter.told) continue;
    waiter.told = true;
    std::uint32_t& place = places[waiter.reply];
    if (place == 0) {
      deliveries.push_back({.to = group.replies[waiter.reply]});
      place = static_cast<std::uint32_t>(deliveries.size());
    }
    deliveries[place - 1].answers.push_back(answer_of(waiter));
    auto& waiting = books(waiter.line).in_flight;
    waiting.set(waiting.value() - 1);
  }
  return deliveries;
}

}  // namespace nissa::ledger
