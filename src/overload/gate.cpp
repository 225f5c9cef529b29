#include "overload/gate.hpp"

#include <algorithm>

#include "base/violation.hpp"

namespace nissa::overload {

Gate::Gate(const Options& options) : options_(options), order_(options.floor_percent) {}

bool Gate::Sender::idle() const {
  return common == 0 && reserve == 0 && std::ranges::all_of(line, [](const auto& one) { return one.empty(); });
}

std::size_t Gate::in_use() const {
  std::size_t sum = reserve_;
  for (const std::size_t bytes : common_) sum += bytes;
  return sum;
}

Gate::Answer Gate::ask(Priority priority, SenderId sender, std::size_t bytes) {
  const bool critical = priority == Priority::critical;
  const std::size_t most = std::max(options_.share_bytes(priority), critical ? options_.critical_bytes : 0);
  if (bytes == 0 || bytes > most) return {};
  Answer answer{.verdict = Verdict::full};
  if (!anyone_waits() && !take(priority, sender, bytes, answer.holding)) answer.verdict = Verdict::admitted;
  return answer;
}

Gate::Ticket Gate::join_line(Priority priority, SenderId sender, std::size_t bytes, BootNs now, std::size_t held) {
  const Ticket ticket = ++last_ticket_;
  waiters_.emplace(ticket, Waiter{priority, sender, bytes, now, held});
  held_waiting_ += held;
  Sender& who = senders_[sender];
  who.held_waiting += held;
  auto& line = who.line[index_of(priority)];
  if (line.empty()) round_[index_of(priority)].push_back(sender);
  line.insert(ticket);
  arrivals_[index_of(priority)].insert(ticket);
  return ticket;
}

// The highest level at which the bytes do not fit (a level: a class and those below it, which together may hold its
// share): room there is what all classes up to it must leave alone.
std::optional<std::size_t> Gate::full_level(Priority priority, std::size_t bytes) const {
  std::size_t held = 0;
  std::optional<std::size_t> full;
  for (std::size_t level = 0; level < priority_count; ++level) {
    held += common_[level];
    if (level >= index_of(priority) && held + bytes > options_.share_bytes(all_priorities[level])) full = level;
  }
  return full;
}

std::optional<Gate::Obstacle> Gate::take(Priority priority, SenderId id, std::size_t bytes, Holding& out) {
  const auto known = senders_.find(id);
  const std::size_t common = known == senders_.end() ? 0 : known->second.common;
  const std::size_t reserve = known == senders_.end() ? 0 : known->second.reserve;
  const auto above = [bytes](std::size_t held, std::size_t limit) { return held > 0 && held + bytes > limit; };

  const auto full = full_level(priority, bytes);
  const bool sender_full = above(common, options_.sender_bytes(options_.ingest_bytes));
  if (!full && !sender_full) {
    out = take_common(priority, id, bytes);
    return std::nullopt;
  }
  if (priority != Priority::critical) {
    // CRITICAL is never barred by what lower classes wait for.
    return Obstacle{.sender_full = !full, .barred_up_to = std::min(full.value_or(0), index_of(Priority::high))};
  }

  const bool reserve_full = reserve_ + bytes > options_.critical_bytes;
  const bool sender_reserve_full = above(reserve, options_.sender_bytes(options_.critical_bytes));
  if (!reserve_full && !sender_reserve_full) {
    out = take_reserve(id, bytes);
    return std::nullopt;
  }
  // Its own share is what stands in the way only if another sender could get in.
  const bool others_fit = (!full && sender_full) || (!reserve_full && sender_reserve_full);
  return Obstacle{.sender_full = others_fit, .barred_up_to = index_of(Priority::critical)};
}

Holding Gate::take_common(Priority priority, SenderId id, std::size_t bytes) {
  common_[index_of(priority)] += bytes;
  senders_[id].common += bytes;
  return {.priority = priority, .sender = id, .common = bytes};
}

Holding Gate::take_reserve(SenderId id, std::size_t bytes) {
  reserve_ += bytes;
  senders_[id].reserve += bytes;
  return {.priority = Priority::critical, .sender = id, .reserve = bytes};
}

void Gate::give_back(const Holding& holding) {
  auto& common = common_[index_of(holding.priority)];
  const auto known = senders_.find(holding.sender);
  if (known == senders_.end() || known->second.common < holding.common || known->second.reserve < holding.reserve ||
      common < holding.common || reserve_ < holding.reserve) {
    violation("overload", "only what was given is given back, once");
    return;
  }
  common -= holding.common;
  reserve_ -= holding.reserve;
  known->second.common -= holding.common;
  known->second.reserve -= holding.reserve;
  forget_if_idle(holding.sender);
}

void Gate::let_in(BootNs now, std::vector<LetIn>& out) {
  // Senders that are at their own limit stand aside for this round. They are few: each holds a quarter of a pool.
  std::vector<std::pair<std::size_t, SenderId>> aside;
  const std::size_t before = out.size();
  std::size_t lowest = 0;  // classes below are barred
  while (!waiters_.empty()) {
    FirstInLine first{};
    for (std::size_t i = lowest; i < priority_count; ++i)
      if (!round_[i].empty()) first[i] = waiters_.at(first_of(i)).bytes;
    const auto priority = order_.pick(first);
    if (!priority) break;
    const std::size_t index = index_of(*priority);
    const Ticket ticket = first_of(index);
    const Waiter waiter = waiters_.at(ticket);
    LetIn one{.ticket = ticket, .waited_ns = now - waiter.since};
    if (const auto obstacle = take(*priority, waiter.sender, waiter.bytes, one.holding)) {
      if (obstacle->sender_full) {
        aside.emplace_back(index, waiter.sender);
        round_[index].pop_front();
      } else {
        lowest = std::max(lowest, obstacle->barred_up_to + 1);
      }
      continue;
    }
    order_.served(*priority, first);
    round_[index].pop_front();
    round_[index].push_back(waiter.sender);
    leave(ticket);
    out.push_back(one);
  }
  for (auto it = aside.rbegin(); it != aside.rend(); ++it) round_[it->first].push_front(it->second);
  if (out.size() != before) return;
  if (const auto ticket = deadlocked()) {
    const Waiter waiter = waiters_.at(*ticket);
    // Beyond its share where there is room, beyond the bound only where there is none.
    const bool in_reserve =
        full_level(waiter.priority, waiter.bytes).has_value() && reserve_ + waiter.bytes <= options_.critical_bytes;
    out.push_back({.ticket = *ticket,
                   .holding = in_reserve ? take_reserve(waiter.sender, waiter.bytes)
                                         : take_common(waiter.priority, waiter.sender, waiter.bytes),
                   .waited_ns = now - waiter.since});
    leave(*ticket);
  }
}

// The first CRITICAL one with half a frame in hand that waits for nobody but waiters: everything is in their hands, or
// everything of its sender is while there is room for others. (Lower classes are refused in time, and give back.)
std::optional<Gate::Ticket> Gate::deadlocked() const {
  if (held_waiting_ == 0) return std::nullopt;
  const bool all_wait = held_waiting_ == in_use();
  for (const SenderId id : round_[index_of(Priority::critical)]) {
    const Sender& sender = senders_.at(id);
    if (sender.held_waiting == 0) continue;
    for (const Ticket ticket : sender.line[index_of(Priority::critical)]) {
      const Waiter& waiter = waiters_.at(ticket);
      if (waiter.held == 0) continue;
      const bool fits =
          !full_level(Priority::critical, waiter.bytes) || reserve_ + waiter.bytes <= options_.critical_bytes;
      if (all_wait || (fits && sender.held_waiting == sender.common + sender.reserve)) return ticket;
      break;
    }
  }
  return std::nullopt;
}

void Gate::leave(Ticket ticket) {
  const auto found = waiters_.find(ticket);
  const SenderId sender = found->second.sender;
  const std::size_t index = index_of(found->second.priority);
  held_waiting_ -= found->second.held;
  senders_.at(sender).held_waiting -= found->second.held;
  waiters_.erase(found);
  arrivals_[index].erase(ticket);
  auto& line = senders_.at(sender).line[index];
  line.erase(ticket);
  if (line.empty()) round_[index].erase(std::ranges::find(round_[index], sender));
  forget_if_idle(sender);
}

bool Gate::cancel(Ticket ticket) {
  if (!waiters_.contains(ticket)) return false;
  leave(ticket);
  return true;
}

void Gate::expire(BootNs now, std::vector<Leaver>& out) {
  for (const Priority priority : all_priorities) {
    if (priority == Priority::critical) continue;
    const auto& arrivals = arrivals_[index_of(priority)];
    while (!arrivals.empty() && now - waiters_.at(*arrivals.begin()).since >= options_.byte_wait_ns) {
      out.push_back({*arrivals.begin(), priority});
      leave(*arrivals.begin());
    }
  }
}

std::optional<BootNs> Gate::next_deadline() const {
  std::optional<BootNs> next;
  for (const Priority priority : all_priorities) {
    const auto& arrivals = arrivals_[index_of(priority)];
    if (priority == Priority::critical || arrivals.empty()) continue;
    const BootNs deadline = waiters_.at(*arrivals.begin()).since + options_.byte_wait_ns;
    if (!next || deadline < *next) next = deadline;
  }
  return next;
}

std::int64_t Gate::oldest_wait_ns(BootNs now) const {
  std::int64_t oldest = 0;
  for (const auto& arrivals : arrivals_)
    if (!arrivals.empty()) oldest = std::max(oldest, now - waiters_.at(*arrivals.begin()).since);
  return oldest;
}

std::vector<Gate::Leaver> Gate::all_waiting() const {
  std::vector<Leaver> all;
  for (const Priority priority : all_priorities)
    for (const Ticket ticket : arrivals_[index_of(priority)]) all.push_back({ticket, priority});
  return all;
}

void Gate::forget_if_idle(SenderId id) {
  if (senders_.size() <= idle_senders) return;
  const auto known = senders_.find(id);
  if (known != senders_.end() && known->second.idle()) senders_.erase(known);
}

}  // namespace nissa::overload
