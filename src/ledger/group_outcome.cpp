// What becomes of a group: it closes, and is durable, has failed, or is slow. What comes in is in commit_group.cpp.
#include <iterator>
#include <limits>
#include <utility>

#include "base/memory.hpp"
#include "base/violation.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {
namespace {

// In one record: the others in the next ones. Well below a millisecond.
constexpr std::size_t most_forgotten = 256;

// The list has memory for both.
template <class T>
void put_first(std::vector<T>& list, std::vector<T>& first) {
  if (list.empty()) return list.swap(first);
  list.insert(list.begin(), std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
}

}  // namespace

// A border: the record and all that its fate will need are made while the group is open.
const Record* CommitGroup::close(Lsn lsn, UnixMs ledger_ms, RunningMs running_ms, const Ready& ready) {
  if (in_flight_now_) {
    violation("ledger", "one group is in flight at most");
    return &in_flight_.record;
  }
  Record record;
  const bool memory = had_memory([&] {
    open_.make_room_for_answers();
    ledger::make_room(in_flight_.closing, open_.ended.size());  // which is the next open one: see failed()
    record = make_record(running_ms);
  });
  if (!memory) return nullptr;
  record.lsn = lsn;
  record.ledger_ms = ledger_ms;
  record.running_ms = running_ms;
  if (ready && !ready(record)) {
    counts_.put_back();
    return nullptr;
  }
  open_.closing.insert(record.forgotten.begin(), record.forgotten.end());
  open_.record = std::move(record);
  open_.answers_ready = true;
  std::swap(open_, in_flight_);
  in_flight_now_ = true;
  return &in_flight_.record;
}

// The counts at last: they leave the table.
Record CommitGroup::make_record(RunningMs running_ms) {
  const Group& group = open_;
  Record record;
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
  ledger::make_room(open_.closing, record.forgotten.size());
  record.floor = epochs_.floor_with(record.ended);
  record.defines = group.defines;
  record.retired = group.retired;
  record.counts = counts_.expand(sets_);
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

template <class F>
void CommitGroup::tell(Waiter& waiter, Delivery& delivery, F answer_of) {
  waiter.told = true;
  delivery.answers.push_back(answer_of(waiter));
  auto& waiting = books(waiter.line).in_flight;
  waiting.set(waiting.value() - 1);
}

// Of a closed group: the memory for it is there.
template <class F>
std::vector<Delivery> CommitGroup::tell_all(Group& group, F answer_of) {
  for (Waiter& waiter : group.waiters)
    if (!waiter.told) tell(waiter, group.replies[waiter.reply], answer_of);
  std::erase_if(group.replies, [](const Delivery& one) { return one.answers.empty(); });
  return std::move(group.replies);
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
  auto deliveries = tell_all(group, [this](const Waiter& waiter) { return final_answer(waiter); });
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
  auto deliveries = tell_all(group, [this](const Waiter& waiter) { return refuse(waiter.line, Reason::journal); });
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

// A border: without memory for it nobody is told here, and the mark moves on, so that this is not asked for ever.
std::vector<Delivery> CommitGroup::tell_slow(BootNs now_ns) {
  std::vector<Delivery> all;
  for (Group* group : {&in_flight_, &open_}) {
    std::size_t to = group->heard;
    while (to < group->waiters.size() && now_ns - group->waiters[to].since >= options_.slow_after_ns) ++to;
    const std::size_t from = std::exchange(group->heard, to);
    if (from == to) continue;
    const std::size_t before = all.size();
    std::vector<std::uint32_t> places;  // by reply: where in `all`
    const bool memory = had_memory([&] {
      places.resize(group->replies.size());
      for (std::size_t i = from; i < to; ++i) places[group->waiters[i].reply] += group->waiters[i].told ? 0 : 1;
      for (std::size_t reply = 0; reply < places.size(); ++reply) {
        if (places[reply] == 0) continue;
        all.push_back({.to = group->replies[reply].to});
        all.back().answers.reserve(places[reply]);
        places[reply] = static_cast<std::uint32_t>(all.size() - 1);
      }
    });
    if (!memory) {
      all.resize(before);
      continue;
    }
    for (std::size_t i = from; i < to; ++i)
      if (Waiter& waiter = group->waiters[i]; !waiter.told)
        tell(waiter, all[places[waiter.reply]],
             [this](const Waiter& one) { return refuse(one.line, Reason::journal_slow); });
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

}  // namespace nissa::ledger
