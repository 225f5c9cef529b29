// The agent library of Nissa: what a program links to have its events counted in error budgets, exactly once.
//
//     nissa::agent::Options options;
//     options.host = "nissa.example.net";
//     options.agent = "checkout-1";  // what the server's pages call this sender
//     nissa::agent::Client client(options);
//     nissa::agent::Event event;
//     event.service = "checkout";
//     event.operation = "POST /orders";
//     event.duration_ns = 12'000'000;
//     if (client.send(event) == nissa::agent::Sent::must_wait) client.dropped(1);  // see Sent
//     client.close(5'000);  // until all is acknowledged, 5 s at most
//
// To compile it, once `meson install` has been run (docs/protocol.md, "Without writing an agent", has a whole program):
//
//     clang++-19 -std=c++20 orders.cpp $(pkg-config --cflags --libs nissa-client) -o orders
//
// What is promised: an event that send() accepted is kept in memory and sent until the server has it on stable storage
// and counted, once; or it is told through Options::on_loss, never silently. What is not: events live in this process
// until then, so its crash loses those that are not settled yet. close() before the end, with time to drain.
//
// Threads: every function of Client may be called from any thread at any time, but flush() and close() from within
// a callback only say false, and nothing may be called during the destructor. The library runs one thread of its own;
// no socket is touched by callers. A process that forks: the child's Client begins anew at its next send() and drops
// what it inherited, for that is its parent's to send. (A child that only execs need do nothing.) Time: all of it in
// nanoseconds or milliseconds, as the names say. Text is UTF-8. Nothing throws but for want of memory. Needs C++20.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace nissa::agent {

// The class of an event. Under overload the lower classes are refused first; CRITICAL is never dropped by the server.
// Each class that is used has a connection of its own, so that one that is held back does not hold the others.
enum class Priority : std::uint8_t { low = 1, normal = 2, high = 3, critical = 4 };

// How what the event tells of ended. Availability objectives count ok and client_error as good, error and timeout as
// bad, and cancelled not at all (an objective may say otherwise).
enum class Outcome : std::uint8_t { ok = 0, error = 1, timeout = 2, client_error = 3, cancelled = 4 };

struct Label {
  std::string_view key;    // at most 256 bytes
  std::string_view value;  // at most 256 bytes
};

// Views need to live only during send().
struct Event {
  std::string_view service;       // required; at most 256 bytes
  std::string_view operation;     // at most 256 bytes; of bounded variety: "GET /users/:id", not "GET /users/4711"
  std::span<const Label> labels;  // at most 32
  Outcome outcome = Outcome::ok;
  std::int64_t time_unix_ns = 0;  // when it ended; 0: now. At most 30 days old and 10 s ahead, or the server rejects it
  std::int64_t duration_ns = -1;  // negative: unknown, and no latency objective counts it
  std::string_view request_id;    // at most 64 bytes; nothing looks it up yet, and it is never for deduplication
};

enum class [[nodiscard]] Sent : std::uint8_t {
  accepted,   // kept; will be counted, or its loss told
  must_wait,  // Options::max_held_bytes of this class are full: the server is away, slow or refusing. Wait and send
              // again, or drop the event and say so with dropped()
  invalid,    // no service, a text too long or not UTF-8, too many labels, a negative time: never sent, nothing is held
  closed,     // close() was called, or the options cannot work: Client::problem() says what is wrong
};

// Events that will not be sent any more.
struct Loss {
  enum class Kind : std::uint8_t {
    refused,    // by the server, finally; not counted
    uncertain,  // counted once or not at all, and nobody can tell any more
    abandoned,  // still unsent when close()'s time was over; not counted
  };
  Kind kind = Kind::refused;
  Priority priority = Priority::normal;
  std::uint64_t events = 0;
  std::string_view reason;  // a name of docs/protocol.md's list, for example "class_not_allowed"; or empty
  std::string_view why;     // in words for a log; the views live only during the call
};

struct Options {
  std::string host = "127.0.0.1";  // a name or a number
  std::uint16_t port = 7440;
  std::string agent;  // what the server shows as the sender; at most 96 bytes
  std::string token;  // what the server knows the sender by, if it asks for one

  // A batch goes out when it has so many events or bytes, or when its oldest event has waited so long. Fewer and
  // smaller where the server says so.
  std::uint32_t batch_events = 1'000;      // 1 … 1 000
  std::uint32_t batch_bytes = 256 * 1024;  // 1 KiB … 512 KiB
  std::uint32_t batch_age_ms = 100;        // 1 … 60 000
  // The bound on the memory for events that are not settled, in each class. 64 KiB …
  std::uint64_t max_held_bytes = 16ULL << 20;

  std::uint32_t answer_timeout_ms = 60'000;  // without an answer for so long a connection is given up. 1 000 …
  std::uint32_t drain_ms = 5'000;            // what the destructor gives close()

  // Called on the library's own thread, which they hold up: return soon, and do not throw.
  std::function<void(const Loss&)> on_loss;
  // A connection of a class came up, or it ended (or could not be made): why, in words for a log.
  std::function<void(Priority, bool up, std::string_view why)> on_connection;
  // What else a log should have, in words: the server takes no batches of a class for now, and why; takes them again;
  // has another state than before. Each once while it lasts, and nothing of it is a loss.
  std::function<void(Priority, std::string_view text)> on_notice;
};

// Why the server did not take a single event of a batch that it counted. Numbers as in docs/protocol.md's EventFault.
enum class EventFault : std::uint8_t {
  no_service = 1,
  too_old = 2,
  in_the_future = 3,
  name_too_long = 4,
  too_many_labels = 5,
  request_id_too_long = 6,
  match_sets_full = 7,
};
inline constexpr std::size_t event_fault_count = 7;
// "too_old"; "unknown" for a number that is none of these.
std::string_view name_of(EventFault fault);

// Sums over all classes since the Client began. Each event that was accepted is in exactly one of: held, counted,
// refused, uncertain, abandoned.
struct Stats {
  std::uint64_t accepted = 0;
  std::uint64_t must_wait = 0;  // send() said so
  std::uint64_t invalid = 0;    // send() said so
  std::uint64_t dropped = 0;    // the caller said so
  std::uint64_t held = 0;
  std::uint64_t counted = 0;
  std::uint64_t refused = 0;
  std::uint64_t uncertain = 0;
  std::uint64_t abandoned = 0;
  // Of the counted ones: what the server did not take, event by event (too old, in the future, …).
  std::uint64_t rejected = 0;
  std::array<std::uint64_t, event_fault_count> rejected_by{};  // the same by reason; index: number of EventFault - 1
  // Of the counted and taken ones: belong to no SLO, so nothing shows them. Most often a misspelt service.
  std::uint64_t unmatched = 0;
  std::uint64_t batches_counted = 0;
  std::uint64_t batches_resent = 0;
  std::uint64_t connections_lost = 0;
  std::uint64_t held_bytes = 0;
};

class Client {
 public:
  // Starts the library's thread. Connects to nothing before there is something to send, and never fails: what is wrong
  // with the options is said by problem() and by every send().
  explicit Client(Options options);
  // As close(Options::drain_ms).
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Never blocks longer than another thread's send(). About 0.2 µs.
  Sent send(const Event& event, Priority priority = Priority::normal);
  // The caller gave up on so many events after must_wait: told to the server with the next batch of that class.
  void dropped(std::uint64_t events, Priority priority = Priority::normal);
  // Sends what is waiting in unfinished batches and waits until all that was accepted before is settled. False if that
  // took longer.
  bool flush(std::uint32_t within_ms);
  // As flush, then ends: what is not settled in time is told as uncertain or abandoned. True if there was no such
  // thing. Later calls return the same. Only the operating system's look-up of a name that is under way may hold it up.
  bool close(std::uint32_t within_ms);

  Stats stats() const;
  // What is wrong with the options; empty if nothing is.
  std::string problem() const;

 private:
  class Inside;
  Inside& inside() const;

  Options options_;
  // Replaced in a forked child, where the old one's thread does not exist. Atomic, for callers on many threads.
  mutable std::atomic<Inside*> inside_;
};

}  // namespace nissa::agent
