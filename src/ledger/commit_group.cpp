// What comes in. What becomes of it is in group_outcome.cpp.
#include "ledger/commit_group.hpp"

#include <cstdint>

#include "base/memory.hpp"
#include "base/violation.hpp"
#include "ledger/table_room.hpp"

namespace nissa::ledger {
namespace {

// About what one takes in the group's tables, and again in the record and the answers.
constexpr std::size_t bytes_a_waiter = sizeof(Waiter) + 64;
constexpr std::size_t bytes_a_cell = 64;
constexpr std::size_t bytes_a_goodbye = 256;  // and what becomes of it in the record and as a tombstone

const StreamWindow untouched;  // a stream that no record has named

// What a new epoch will take before any window of it has grown.
std::size_t fresh_bytes(const Sender& sender) {
  EpochState state;
  state.agent = sender.agent;
  state.principal = sender.principal;
  return state.bytes();
}

// Times 1 to 2, so that those who are refused together do not come back together. By the key, for an epoch is random,
// and by the body, where there is no key.
std::uint32_t spread(std::uint32_t ms, const BatchLine& line) {
  const std::uint64_t mixed =
      (line.key.epoch ^ line.print.crc32c ^ line.key.sequence * 0x9E3779B97F4A7C15) * 0xD1342543DE82EF95;
  return ms + static_cast<std::uint32_t>(ms * (mixed >> 32) >> 32);
}

bool cells_are_there(const BatchLine& line, const Submission& submission) {
  return line.first_cell <= submission.cells.size() && line.cell_count <= submission.cells.size() - line.first_cell;
}

}  // namespace

CommitGroup::CommitGroup(Epochs& epochs, const slo::MatchSets& sets, LedgerCounters& counters, CommitOptions options,
                         StateNow now, std::uint64_t hash_seed)
    : epochs_(epochs),
      sets_(sets),
      counters_(counters),
      options_(options),
      now_(now),
      open_(hash_seed),
      in_flight_(hash_seed),
      counts_(hash_seed) {}

bool CommitGroup::has_room(const Submission& submission) {
  if (!answers_ready(submission)) return false;
  if (refusing_ != Reason::none) return true;  // a refusal takes none
  const std::size_t more = submission.lines.size() * bytes_a_waiter + submission.cells.size() * bytes_a_cell;
  return open_.bytes == 0 || open_.bytes + more <= options_.group_bytes;
}

// A border: what is merged, or waits, had its memory before; so has what is answered, whatever comes of the rest.
bool CommitGroup::answers_ready(const Submission& submission) {
  return answers_.capacity() >= submission.lines.size() ||
         had_memory([&] { answers_.reserve(submission.lines.size()); });
}

std::vector<Answer> CommitGroup::submit(const Submission& submission, BootNs now_ns) {
  if (!answers_ready(submission)) return {};
  std::vector<Answer>& answers = answers_;
  Door door;
  bool at_door = false;
  for (const BatchLine& line : submission.lines) {
    books(line).received.add();
    if (line.key.is_none()) {
      if (const Reason reason = merge_unkeyed(line, submission, now_ns); reason != Reason::none)
        answers.push_back(refuse(line, reason));
      continue;
    }
    // Before anything else: a pending key gets no refusal but those two that leave it in doubt, and low may have passed
    // it while it was pending.
    if (Group* const pending = group_of(line.key)) {
      // While what is new is refused, twins alone could come without end.
      const bool fits = open_.bytes + bytes_a_waiter <= options_.group_bytes || open_.bytes == 0;
      if (!fits || !join_twin(*pending, line, submission, now_ns))
        answers.push_back(refuse(line, Reason::journal_slow));
      continue;
    }
    if (!at_door || door.epoch != line.key.epoch) {
      door = door_of(line.key.epoch, submission.epoch_seen);
      at_door = true;
    }
    if (door.closed != Reason::none) {
      answers.push_back(refuse(line, door.closed));
      continue;
    }
    const StreamWindow& stream = door.known != nullptr ? door.known->stream(line.key.priority) : untouched;
    switch (stream.judge(line.key.sequence, line.settled_below, line.print)) {
      case Judgement::absent:
        if (const Reason reason = merge(line, submission, door, now_ns); reason != Reason::none)
          answers.push_back(refuse(line, reason));
        break;
      case Judgement::duplicate:
        answers.push_back(answer(line, AckStatus::duplicate));
        break;
      case Judgement::below_low:
        answers.push_back(answer(line, AckStatus::duplicate, Reason::below_low));
        break;
      case Judgement::conflict:
        answers.push_back(answer(line, AckStatus::conflict));
        break;
      case Judgement::window_full:
        answers.push_back(refuse(line, Reason::window_full));
        break;
    }
  }
  counters_.open_bytes.set(open_.bytes);
  if (answers.empty()) return {};
  return std::exchange(answers_, {});
}

CommitGroup::Door CommitGroup::door_of(Epoch epoch, const EpochSeen& seen) const {
  Door door{.epoch = epoch, .known = epochs_.find(epoch)};
  if (open_.closing.contains(epoch) || in_flight_.closing.contains(epoch)) {
    door.closed = Reason::epoch_closing;
  } else if (door.known == nullptr && !open_.has_key_of(epoch) && !in_flight_.has_key_of(epoch) &&
             !epochs_.accepts_unknown(epoch, seen, now_)) {
    // An epoch with a pending key is as good as known: were one of its batches told unknown_epoch now, its agent would
    // key that anew, and a copy of it could be counted later under the old key.
    door.closed = Reason::unknown_epoch;
  }
  return door;
}

Group* CommitGroup::group_of(const BatchKey& key) {
  for (Group* group : {&in_flight_, &open_})
    if (group->first_of(key) != nullptr) return group;
  return nullptr;
}

bool CommitGroup::join_twin(Group& group, const BatchLine& line, const Submission& submission, BootNs now_ns) {
  if (!had_memory([&] { group.make_room_for_waiter(submission.reply_to); })) return false;
  const bool same = group.first_of(line.key)->line.print == line.print;
  join(group, line, submission, same ? Role::twin : Role::conflicting, now_ns);
  return true;
}

void CommitGroup::join(Group& group, const BatchLine& line, const Submission& submission, Role role, BootNs now_ns) {
  if (role == Role::first) group.firsts.emplace(line.key, static_cast<std::uint32_t>(group.waiters.size()));
  if (role == Role::first || role == Role::unkeyed) ++group.batches;
  const std::uint32_t reply = group.place_of(submission.reply_to);
  ++group.replies[reply].waiters;
  group.waiters.push_back({.line = line, .reply = reply, .role = role, .told = false, .since = now_ns});
  // Of the open group, whichever it joins: one bound for both, and while one is in flight the open one does not close.
  open_.bytes += bytes_a_waiter;
  if (&group == &in_flight_) joined_late_bytes_ += bytes_a_waiter;
  auto& waiting = books(line).in_flight;
  waiting.set(waiting.value() + 1);
}

// First all that may find no memory, then what has to be whole: a key without its counts would be a lie, and so would
// counts without their key.
Reason CommitGroup::merge(const BatchLine& line, const Submission& submission, const Door& door, BootNs now_ns) {
  if (const Reason reason = closed_to(line, submission); reason != Reason::none) return reason;
  std::optional<std::size_t> growth;
  const bool memory = had_memory([&] {
    growth = growth_of(line, submission, door);
    if (!growth) return;
    if (*growth != 0) open_.reserved.make_room(submission.sender->principal);
    open_.make_room_for_key(line.key.epoch);
    make_room(line, submission);
  });
  if (!memory) return Reason::no_room;
  if (!growth) return Reason::streams_full;
  if (*growth != 0) open_.reserved.charge(submission.sender->principal, *growth);
  GroupEpoch& epoch = open_.epoch_of(line.key.epoch, submission.epoch_seen, submission.sender);
  std::size_t& most = epoch.growth[index_of(line.key.priority)];
  const StreamWindow& stream = door.known != nullptr ? door.known->stream(line.key.priority) : untouched;
  most = std::max(most, stream.growth(line.key.sequence, line.settled_below));
  add(line, submission, Role::first, now_ns);
  return Reason::none;
}

Reason CommitGroup::merge_unkeyed(const BatchLine& line, const Submission& submission, BootNs now_ns) {
  if (const Reason reason = closed_to(line, submission); reason != Reason::none) return reason;
  if (!had_memory([&] { make_room(line, submission); })) return Reason::no_room;
  add(line, submission, Role::unkeyed, now_ns);
  return Reason::none;
}

Reason CommitGroup::closed_to(const BatchLine& line, const Submission& submission) const {
  if (refusing_ != Reason::none) return refusing_;
  if (cells_are_there(line, submission)) return Reason::none;
  violation("ledger", "a batch's cells lie within its submission");
  return Reason::journal;  // it leaves the sender in doubt: it keeps the batch
}

void CommitGroup::make_room(const BatchLine& line, const Submission& submission) {
  open_.make_room_for_waiter(submission.reply_to);
  counts_.make_room(line.cell_count);
}

void CommitGroup::add(const BatchLine& line, const Submission& submission, Role role, BootNs now_ns) {
  join(open_, line, submission, role, now_ns);
  counts_.add({submission.cells.data() + line.first_cell, line.cell_count});
  open_.bytes += line.cell_count * bytes_a_cell;
}

std::optional<std::size_t> CommitGroup::growth_of(const BatchLine& line, const Submission& submission,
                                                  const Door& door) const {
  const StreamWindow& stream = door.known != nullptr ? door.known->stream(line.key.priority) : untouched;
  const std::size_t growth = stream.growth(line.key.sequence, line.settled_below);
  const auto place = open_.epoch_places.find(line.key.epoch);
  const bool here = place != open_.epoch_places.end();
  const std::size_t before = here ? open_.epochs[place->second].growth[index_of(line.key.priority)] : 0;
  if (here ? growth <= before : door.known != nullptr && growth == 0) return 0;
  const std::size_t more = growth - before + (here || door.known != nullptr ? 0 : fresh_bytes(*submission.sender));
  const std::string& principal = submission.sender->principal;
  const std::size_t all = open_.reserved.used() + in_flight_.reserved.used() + more;
  const std::size_t own = open_.reserved.used_by(principal) + in_flight_.reserved.used_by(principal) + more;
  if (!epochs_.budget().has_room(principal, all, own)) return std::nullopt;
  return more;
}

CommitGroup::Goodbye CommitGroup::goodbye(Epoch epoch, const EpochSeen& seen) {
  if (goodbye_pending(epoch)) return Goodbye::pending;
  const bool known = epochs_.find(epoch) != nullptr || open_.has_key_of(epoch) || in_flight_.has_key_of(epoch);
  if (!known && !epochs_.accepts_unknown(epoch, seen, now_)) return Goodbye::done;
  if (open_.bytes + bytes_a_goodbye > options_.group_bytes) return Goodbye::no_room;
  // With that for those in flight, which come back here if their record fails.
  const std::size_t more = 1 + in_flight_.ended.size();
  const auto room = [&] {
    ledger::make_room(open_.ended, more);
    ledger::make_room(open_.closing, more);
  };
  if (!had_memory(room)) return Goodbye::no_room;
  open_.ended.push_back({.epoch = epoch, .seen = seen});
  open_.closing.insert(epoch);
  open_.bytes += bytes_a_goodbye;
  return Goodbye::pending;
}

bool CommitGroup::goodbye_pending(Epoch epoch) const {
  const auto says = [epoch](const EndedEpoch& one) { return one.epoch == epoch; };
  return (open_.closing.contains(epoch)) ||
         (in_flight_.closing.contains(epoch) && std::any_of(in_flight_.ended.begin(), in_flight_.ended.end(), says));
}

void CommitGroup::propose(std::vector<Define> defines, std::vector<slo::SloId> retired) {
  if (definitions_pending()) violation("ledger", "definitions change one step at a time");
  open_.defines = std::move(defines);
  open_.retired = std::move(retired);
}

bool CommitGroup::definitions_pending() const {
  const auto has_any = [](const Group& group) { return !group.defines.empty() || !group.retired.empty(); };
  return has_any(open_) || has_any(in_flight_);
}

Answer CommitGroup::answer(const BatchLine& line, AckStatus status, Reason reason) {
  ClassBooks& book = books(line);
  if (status == AckStatus::duplicate) book.duplicate.add();
  if (status == AckStatus::duplicate && reason == Reason::below_low) book.below_low.add();
  if (status == AckStatus::conflict) book.conflict.add();
  if (status == AckStatus::counted) book.counted.add();
  if (status == AckStatus::refused) book.refused[static_cast<std::size_t>(reason)].add();
  return {.key = line.key,
          .status = status,
          .reason = reason,
          .event_count = line.event_count,
          .token = line.token,
          .running_ms = now_.running_ms};
}

Answer CommitGroup::refuse(const BatchLine& line, Reason reason) {
  Answer refused = answer(line, AckStatus::refused, reason);
  refused.retry_after_ms = spread(retry_after_ms(reason), line);
  return refused;
}

std::uint32_t CommitGroup::retry_after_ms(Reason reason) const {
  if (is_final(reason)) return 0;
  const bool soon = reason == Reason::epoch_closing || reason == Reason::window_full || leaves_doubt(reason);
  return soon ? options_.retry_soon_ms : options_.retry_later_ms;
}

}  // namespace nissa::ledger
