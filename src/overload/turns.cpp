#include "overload/turns.hpp"

#include <algorithm>

namespace nissa::overload {

Turns::Turns(const Options& options)
    : slice_bytes_(static_cast<std::size_t>(static_cast<double>(options.slice_ns) / options.fold_ns_per_byte)),
      order_(options.floor_percent) {}

void Turns::ask(Ticket ticket, Priority priority, std::size_t bytes, BootNs now) {
  bytes = std::max<std::size_t>(bytes, 1);  // 0 means "nobody waits" to ClassOrder
  line_[index_of(priority)].push_back({ticket, bytes, now});
  backlog_[index_of(priority)] += bytes;
  ++count_;
}

void Turns::next_slice(BootNs now, std::vector<Granted>& out) {
  std::size_t left = slice_bytes_;
  for (bool first_one = true; count_ > 0; first_one = false) {
    FirstInLine first{};
    for (std::size_t i = 0; i < priority_count; ++i)
      if (!line_[i].empty()) first[i] = line_[i].front().bytes;
    const Priority priority = order_.pick(first).value_or(Priority::critical);
    const std::size_t index = index_of(priority);
    const Waiter waiter = line_[index].front();
    if (!first_one && waiter.bytes > left) return;
    order_.served(priority, first);
    line_[index].pop_front();
    backlog_[index] -= waiter.bytes;
    --count_;
    left -= std::min(left, waiter.bytes);
    out.push_back({waiter.ticket, priority, waiter.bytes, now - waiter.since});
  }
}

std::size_t Turns::backlog_bytes(Priority priority) const {
  std::size_t sum = 0;
  for (std::size_t i = index_of(priority); i < priority_count; ++i) sum += backlog_[i];
  return sum;
}

std::int64_t Turns::oldest_wait_ns(BootNs now) const {
  std::int64_t oldest = 0;
  for (const auto& line : line_)
    if (!line.empty()) oldest = std::max(oldest, now - line.front().since);
  return oldest;
}

}  // namespace nissa::overload
