// The byte budget: who may hold how many bytes of read buffers, and who waits for them.
//
// Two pools: the common one (ingest_bytes), of which a class together with the classes below it may hold its share,
// and a reserve (critical_bytes) that only CRITICAL may fall back to. A sender holds at most its share of each, but
// always one batch. Waiting is in line by class (ClassOrder), in a class round the senders, so that a sender with a
// thousand connections waits as long as one with a single one. Nobody overtakes: while anyone waits, a newcomer joins
// the line, and let_in tells whether it gets in; one that cannot fit bars those that would take the room that it needs.
//
// CRITICAL is never refused, so connections that hold half a frame each and wait for the other half could wait for each
// other for ever. When all that stands in the way is held by those who wait, one of them goes beyond the bound: by one
// frame, and until that is folded.
//
// Pure: time comes in, nothing is called back. The caller asks, gives back exactly what it was given, and after each
// return of bytes collects whom that let in. One strand or lock. Without waiting 20 ns. Memory: a node a waiter, a node
// a sender that holds or waits, and 1 024 more.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/priority.hpp"
#include "base/time_types.hpp"
#include "overload/class_order.hpp"
#include "overload/options.hpp"

namespace nissa::overload {

// Who sends: the authenticated principal, else the address; a number that ingest derives. Never a self-declared name.
using SenderId = std::uint64_t;

// Bytes in hand; goes back to Gate::give_back exactly once.
struct Holding {
  Priority priority = Priority::normal;
  SenderId sender = 0;
  std::size_t common = 0;   // of ingest_bytes
  std::size_t reserve = 0;  // of critical_bytes
  std::size_t bytes() const { return common + reserve; }
};

class Gate {
 public:
  using Ticket = std::uint64_t;  // of one that waits; never reused
  enum class Verdict {
    admitted,  // `holding` is yours
    full,      // no room, or others wait: join_line and let_in, or leave
    never,     // more than the class may ever hold: no wait would help
  };
  struct Answer {
    Verdict verdict = Verdict::never;
    Holding holding;
  };
  struct LetIn {
    Ticket ticket = 0;
    Holding holding;
    std::int64_t waited_ns = 0;
  };
  struct Leaver {
    Ticket ticket = 0;
    Priority priority = Priority::normal;
  };

  explicit Gate(const Options& options);

  Answer ask(Priority priority, SenderId sender, std::size_t bytes);
  // After `full`. `held`: what the one who waits has in hand, and keeps meanwhile.
  Ticket join_line(Priority priority, SenderId sender, std::size_t bytes, BootNs now, std::size_t held = 0);
  void give_back(const Holding& holding);
  // Those in line who fit now, in order. Call after join_line, give_back, cancel and
  // expire, as long as anyone waits.
  void let_in(BootNs now, std::vector<LetIn>& out);
  // Those who waited longer than byte_wait_ns leave the line, to be refused with no_room; never CRITICAL.
  void expire(BootNs now, std::vector<Leaver>& out);
  // When expire() has something to do next; nullopt: nobody waits who may be refused.
  std::optional<BootNs> next_deadline() const;
  // Out of the line (its connection is gone, or the server stops). false: not in line any more.
  bool cancel(Ticket ticket);
  std::vector<Leaver> all_waiting() const;

  bool anyone_waits() const { return !waiters_.empty(); }
  std::size_t waiting(Priority priority) const { return arrivals_[index_of(priority)].size(); }
  std::size_t common_in_use(Priority priority) const { return common_[index_of(priority)]; }
  std::size_t reserve_in_use() const { return reserve_; }
  std::size_t in_use() const;
  // The longest that anyone in line has waited; 0 if nobody waits.
  std::int64_t oldest_wait_ns(BootNs now) const;

 private:
  struct Waiter {
    Priority priority;
    SenderId sender;
    std::size_t bytes;
    BootNs since;
    std::size_t held;
  };
  struct Sender {
    std::size_t common = 0;
    std::size_t reserve = 0;
    std::size_t held_waiting = 0;     // of these two, in the hands of its waiters
    PerClass<std::set<Ticket>> line;  // in order of arrival
    bool idle() const;
  };
  // Why a request does not fit: nullopt says that it does and is taken.
  struct Obstacle {
    bool sender_full = false;      // others may go on
    std::size_t barred_up_to = 0;  // classes up to this one would take the room that is missing
  };

  std::optional<Obstacle> take(Priority priority, SenderId id, std::size_t bytes, Holding& out);
  Holding take_common(Priority priority, SenderId id, std::size_t bytes);
  Holding take_reserve(SenderId id, std::size_t bytes);  // of CRITICAL
  std::optional<std::size_t> full_level(Priority priority, std::size_t bytes) const;
  // First in line of a class: of the sender whose turn it is. Only while someone of the class waits.
  Ticket first_of(std::size_t index) const { return *senders_.at(round_[index].front()).line[index].begin(); }
  void leave(Ticket ticket);
  std::optional<Ticket> deadlocked() const;
  void forget_if_idle(SenderId id);
  // So many senders may be known that hold and want nothing: else a lone connection would be forgotten and learned
  // anew with every buffer.
  static constexpr std::size_t idle_senders = 1024;

  Options options_;
  ClassOrder order_;
  std::unordered_map<SenderId, Sender> senders_;
  std::unordered_map<Ticket, Waiter> waiters_;
  PerClass<std::deque<SenderId>> round_;  // senders with a line in this class, each once
  PerClass<std::set<Ticket>> arrivals_;   // in order of arrival, so of deadline
  PerClass<std::size_t> common_{};
  std::size_t reserve_ = 0;
  std::size_t held_waiting_ = 0;  // of all senders
  Ticket last_ticket_ = 0;
};

}  // namespace nissa::overload
