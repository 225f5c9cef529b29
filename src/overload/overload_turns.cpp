// Who waits for a turn to be folded, and which classes are refused because their line does not go down.
#include <algorithm>
#include <utility>

#include "async/strand.hpp"
#include "base/log.hpp"
#include "overload/overload_inside.hpp"

namespace nissa::overload {

void OverloadInside::wait_for_turn(ParkedForTurn parked, Priority priority, std::size_t bytes) {
  bool post = false;
  {
    Lock lock(mutex_);
    const BootNs now = clock_.boot_ns();
    if (free_turns_.empty()) {
      free_turns_.push_back(parked_turns_.size());
      parked_turns_.emplace_back();
    }
    const Turns::Ticket ticket = free_turns_.back();
    free_turns_.pop_back();
    parked_turns_[ticket].emplace(std::move(parked));
    turns_.ask(ticket, priority, bytes, now);
    delay_[index_of(priority)].entered(now);
    publish_line(priority);
    post = !std::exchange(slice_posted_, true);
  }
  if (post) post_slice();
}

// Behind the ready queue: what arrived before is read first, and stands in line when the slice is cut.
void OverloadInside::post_slice() {
  boost::asio::post(loop_.context(), [self = shared_from_this()] { self->grant_slice(); });
}

void OverloadInside::grant_slice() {
  {
    Lock lock(mutex_);
    const BootNs now = clock_.boot_ns();
    granted_.clear();
    turns_.next_slice(now, granted_);
    const std::uint32_t before = refusing_.load(std::memory_order_relaxed);
    std::uint32_t refusing = before;
    std::size_t bytes = 0;
    for (const Turns::Granted& one : granted_) {
      const std::size_t index = index_of(one.priority);
      delay_[index].left(now, one.waited_ns);
      counters.turn_wait[index].observe(one.waited_ns);
      publish_line(one.priority);
      bytes += one.bytes;
      to_wake_.emplace_back(*std::move(parked_turns_[one.ticket]), Turn{one.waited_ns});
      parked_turns_[one.ticket].reset();
      free_turns_.push_back(one.ticket);
    }
    drain_.drained(bytes, now);
    for (std::size_t i = 0; i < priority_count; ++i) {
      const std::uint32_t bit = 1u << i;
      refusing = delay_[i].refuses(now) ? refusing | bit : refusing & ~bit;
    }
    refusing_.store(refusing, std::memory_order_relaxed);
    if (refusing != before) note_changes(before, refusing, now);
  }
  if (!changes_.empty()) tell_changes();
  for (auto& [parked, turn] : to_wake_) parked.wake(turn);
  to_wake_.clear();
  bool more = false;
  {
    Lock lock(mutex_);  // only now may another slice be posted: this one has used the lists to its end
    more = slice_posted_ = turns_.anyone_waits();
  }
  if (more) post_slice();
}

void OverloadInside::note_changes(std::uint32_t before, std::uint32_t refusing, BootNs now) {
  for (const Priority priority : all_priorities) {
    const std::size_t i = index_of(priority);
    if (((before ^ refusing) >> i & 1u) == 0) continue;
    Change change{.priority = priority, .refused = (refusing >> i & 1u) != 0};
    if (change.refused) {
      refused_[i].begin(now);
      refusals_before_[i] = counters.refused_overloaded[i].value();
      change.wait_ns = std::max(gate_.oldest_wait_ns(now), turns_.oldest_wait_ns(now));
      change.backlog_bytes = turns_.backlog_bytes(priority);
    } else {
      change.lasted_ms = refused_[i].end(now).value_or(0);
      change.refusals = counters.refused_overloaded[i].value() - refusals_before_[i];
    }
    changes_.push_back(change);
  }
}

// Without the lock: whoever reads the log may be slow.
void OverloadInside::tell_changes() {
  for (const Change& one : changes_) {
    if (one.refused)
      log(LogLevel::warning, "overload", "a class is refused: its line does not go down",
          {{"class", name_of(one.priority)},
           {"oldest_wait_ms", one.wait_ns / ns_per_ms},
           {"backlog_bytes", one.backlog_bytes}});
    else
      log(LogLevel::info, "overload", "a class is taken again",
          {{"class", name_of(one.priority)}, {"after_ms", one.lasted_ms}, {"refused_batches", one.refusals}});
  }
  changes_.clear();
}

}  // namespace nissa::overload
