// What comes into the ledger: submissions, Goodbyes, definitions, readers of the pages.
#include <utility>

#include "ledger/ledger_inside.hpp"

namespace nissa::ledger {

void LedgerComponent::Inside::take(Submission submission) {
  heed_room();
  if (held.empty() && group.has_room(submission)) return place(submission);
  for (const BatchLine& line : submission.lines) counters.of(line.key).held.add();
  held.push_back(std::move(submission));
  counters.held.add();
  full.store(true, std::memory_order_relaxed);
}

void LedgerComponent::Inside::place(const Submission& submission) {
  const bool was_open = group.anything_open();
  const BootNs slow_before = group.next_slow_at();
  std::vector<Answer> answers = group.submit(submission, timers.now());
  if (!answers.empty()) {
    trouble.told(submission, answers, counters);
    submission.reply_to->deliver(std::move(answers));
  }
  if (stopped) tell(group.tell_all_slow());
  if (group.anything_open() != was_open || group.next_slow_at() < slow_before) idle.wake_all();
}

void LedgerComponent::Inside::place_held(const Submission& submission) {
  for (const BatchLine& line : submission.lines) {
    Counter& waiting = counters.of(line.key).held;
    waiting.set(waiting.value() - 1);
  }
  place(submission);
}

void LedgerComponent::Inside::let_in() {
  while (!held.empty() && group.has_room(held.front())) {
    place_held(held.front());
    held.pop_front();
  }
  if (!held.empty()) return;
  full.store(false, std::memory_order_relaxed);
  for (Parked<bool>& one : std::exchange(rooms, {})) one.wake(true);
}

bool LedgerComponent::Inside::say_goodbye(Epoch epoch, const EpochSeen& seen) {
  if (stopped) return true;
  const CommitGroup::Goodbye said = group.goodbye(epoch, seen);
  if (said == CommitGroup::Goodbye::pending) idle.wake_all();
  return said != CommitGroup::Goodbye::no_room;
}

bool LedgerComponent::Inside::goodbye_open(Epoch epoch) { return !stopped && group.goodbye_pending(epoch); }

void LedgerComponent::Inside::answer_goodbyes() {
  std::vector<Goodbye> waiting;
  for (Goodbye& one : std::exchange(goodbyes, {})) {
    if (goodbye_open(one.epoch)) {
      waiting.push_back(std::move(one));
    } else {
      one.parked.wake(!stopped && !group.goodbye_pending(one.epoch));
    }
  }
  goodbyes.swap(waiting);
}

void LedgerComponent::Inside::define_next() {
  while (!definitions.empty() && !definitions.front().proposed) {
    Definition& next = definitions.front();
    auto plan = stopped ? failure("the ledger has stopped") : ledger->definitions().plan(next.configured);
    if (plan && !plan->empty()) {
      group.propose(std::move(plan->defines), std::move(plan->retired));
      next.ids = std::move(plan->ids);
      next.proposed = true;
      idle.wake_all();
      return;
    }
    next.parked.wake(plan ? Defined{std::move(plan->ids)} : Defined{std::unexpected(plan.error())});
    definitions.pop_front();
  }
}

void LedgerComponent::Inside::answer_definitions() {
  if (!definitions.empty() && definitions.front().proposed) {
    if (!stopped && group.definitions_pending()) return;
    Definition& first = definitions.front();
    first.parked.wake(group.definitions_pending() ? Defined{} : Defined{std::move(first.ids)});
    definitions.pop_front();
  }
  define_next();
}

void LedgerComponent::Inside::refresh_page() {
  if (readers.empty()) readers.swap(readers_of_next);
  if (!pages.refresh_one(*ledger)) return;
  for (Parked<bool>& one : std::exchange(readers, {})) one.wake(true);
}

}  // namespace nissa::ledger
