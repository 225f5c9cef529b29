// Who folds next. A turn is not given when it is asked for but by a task behind the ready queue, at most a slice
// (1 ms) of folds at once: so whatever arrived meanwhile has read its header and stands in line too, and a higher class
// overtakes. Granted at once, no line would ever form here, and LOW would wait in the kernel unseen.
// Higher classes first, with floors (ClassOrder). Inside a class first come, first served; a round over senders is to
// replace the one deque of a class.
// Pure; one strand or lock; about 10 ns a turn; one node a waiter.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/priority.hpp"
#include "base/time_types.hpp"
#include "overload/class_order.hpp"
#include "overload/options.hpp"

namespace nissa::overload {

class Turns {
 public:
  // The caller's own name for one that waits; not looked at.
  using Ticket = std::uint64_t;
  struct Granted {
    Ticket ticket = 0;
    Priority priority = Priority::normal;
    std::size_t bytes = 0;
    std::int64_t waited_ns = 0;
  };

  explicit Turns(const Options& options);

  void ask(Ticket ticket, Priority priority, std::size_t bytes, BootNs now);
  // Appends one slice's worth of turns in order: at least one while anyone waits.
  void next_slice(BootNs now, std::vector<Granted>& out);

  bool anyone_waits() const { return count_ > 0; }
  std::size_t waiting(Priority priority) const { return line_[index_of(priority)].size(); }
  // Bytes in line in this class and those above it: what goes before a newcomer, floors aside.
  std::size_t backlog_bytes(Priority priority) const;
  std::int64_t oldest_wait_ns(BootNs now) const;

 private:
  struct Waiter {
    Ticket ticket;
    std::size_t bytes;
    BootNs since;
  };
  std::size_t slice_bytes_;
  ClassOrder order_;
  PerClass<std::deque<Waiter>> line_;
  PerClass<std::size_t> backlog_{};
  std::size_t count_ = 0;
};

}  // namespace nissa::overload
