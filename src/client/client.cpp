// Behind include/nissa/client.hpp: a lane and a connection a class, and the one thread that serves them.
#include "nissa/client.hpp"

#include <pthread.h>
#include <signal.h>

#include <array>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "async/byte_stream.hpp"
#include "async/event_loop.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"
#include "client/connection.hpp"
#include "client/event_check.hpp"
#include "client/explain.hpp"
#include "client/lane.hpp"
#include "client/os_random.hpp"
#include "net/tcp_connect.hpp"

namespace nissa::agent {
namespace {

// Whose loop this thread runs. Not a thread's id: a later thread is given that of one that has ended.
thread_local const void* served_here = nullptr;

// How often this process has become another by forking. Asked at each event, so getpid()'s system call is too dear.
std::atomic<std::uint64_t> forks{0};
void watch_forks() {
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); }); });
}

Loss::Kind kind_of(client::Fate fate) {
  if (fate == client::Fate::uncertain) return Loss::Kind::uncertain;
  return fate == client::Fate::abandoned ? Loss::Kind::abandoned : Loss::Kind::refused;
}

client::LaneOptions lane_options(const Options& options, nissa::Priority priority) {
  const auto as_told = static_cast<Priority>(priority);
  client::LaneOptions lane;
  lane.batcher = {options.batch_events, options.batch_bytes, options.batch_age_ms * ns_per_ms};
  lane.max_held_bytes = options.max_held_bytes;
  if (options.on_loss) {
    lane.on_loss = [tell = options.on_loss, as_told](const client::Settlement& settlement) {
      const std::string why = client::why_lost(settlement);
      tell({kind_of(settlement.fate), as_told, settlement.event_count,
            settlement.reason == Reason::none ? std::string_view() : name_of(settlement.reason), why});
    };
  }
  if (options.on_connection) {
    lane.on_link = [tell = options.on_connection, as_told](bool up, std::string_view why) { tell(as_told, up, why); };
  }
  if (options.on_notice) {
    lane.on_notice = [tell = options.on_notice, as_told](const client::Notice& notice) {
      tell(as_told, client::text_of(notice));
    };
  }
  return lane;
}

client::Stream make_stream(const Options& options, nissa::Priority priority) {
  client::StreamOptions stream;
  stream.priority = priority;
  stream.max_held_bytes = std::numeric_limits<std::uint64_t>::max();  // the lane's bound holds
  stream.max_held_batches = std::numeric_limits<std::uint32_t>::max();
  stream.answer_timeout_ns = options.answer_timeout_ms * ns_per_ms;
  return {stream, client::os_random_bits};
}

static_assert(event_fault_count == nissa::event_fault_count);

std::size_t index_of(Priority priority) { return (static_cast<std::size_t>(priority) - 1) & 3; }

}  // namespace

class Client::Inside {
 public:
  explicit Inside(const Options& options) : problem(client::problem_with(options)) {
    for (const nissa::Priority priority : all_priorities) classes_.emplace_back(*this, options, priority);
    if (!problem.empty()) return;
    for (Class& one : classes_) one.connection.start();
    try {
      thread_ = std::thread([this] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are for the program's own threads
        served_here = this;
        loop_.run();
      });
    } catch (const std::system_error& error) {
      problem = std::string("cannot start a thread: ") + error.what();
      end_here();
    }
  }
  ~Inside() { close(0); }

  struct Class {
    Class(Inside& in, const Options& options, nissa::Priority priority)
        : strand(in.loop_),
          lane(lane_options(options, priority)),
          connection(strand, in.timers_, in.clock_, connection_options(options), make_stream(options, priority), lane,
                     [&in, on = strand, host = options.host, port = options.port](BootNs deadline) {
                       return net::tcp_connect(on, in.timers_, host, port, deadline);
                     }) {}
    Strand strand;
    client::Lane lane;
    client::Connection connection;
  };

  Sent send(const Event& event, Priority priority);
  bool flush(std::uint32_t within_ms);
  bool close(std::uint32_t within_ms);
  Stats stats() const;

  Class& of(Priority priority) { return classes_[index_of(priority)]; }
  const std::uint64_t fork_number = forks.load(std::memory_order_relaxed);
  std::string problem;
  std::atomic<std::uint64_t> must_wait{0}, invalid{0};

 private:
  static client::ConnectionOptions connection_options(const Options& options) {
    client::ConnectionOptions connection;
    connection.agent = options.agent;
    connection.token = options.token;
    connection.dead_after_ns = options.answer_timeout_ms * ns_per_ms;
    return connection;
  }
  Task<void> shut_down(BootNs deadline);
  Task<void> stop_one(Class& one, BootNs deadline);
  std::uint64_t lost() const;
  void end_here();
  // On the loop's thread, which would wait for itself.
  bool in_callback() const { return served_here == this; }

  SystemClock clock_;
  EventLoop loop_{1};
  Timers timers_{loop_, clock_};
  std::deque<Class> classes_;
  std::thread thread_;
  std::size_t stopping_ = 0;  // classes that have not ended; on the loop's thread alone
  Mutex closing_;
  std::optional<bool> closed_ NISSA_GUARDED_BY(closing_);
};

Sent Client::Inside::send(const Event& event, Priority priority) {
  if (!problem.empty()) return Sent::closed;
  if (!client::can_be_sent(event)) {
    invalid.fetch_add(1, std::memory_order_relaxed);
    return Sent::invalid;
  }
  std::array<wire::LabelView, 32> labels;
  for (std::size_t i = 0; i < event.labels.size(); ++i) labels[i] = {event.labels[i].key, event.labels[i].value};
  thread_local Bytes identity;
  identity.clear();
  wire::append_identity(identity, event.service, event.operation, std::span(labels).first(event.labels.size()));
  wire::EventHead head;
  head.time_unix_ns = static_cast<std::uint64_t>(event.time_unix_ns != 0 ? event.time_unix_ns : clock_.wall_ns());
  if (event.duration_ns >= 0) head.duration_ns = static_cast<std::uint64_t>(event.duration_ns);
  head.outcome = static_cast<wire::EventOutcome>(event.outcome);
  head.request_id = event.request_id;
  Class& one = of(priority);
  switch (one.lane.put(head, identity, clock_.boot_ns())) {
    case client::Lane::Put::kept:
      return Sent::accepted;
    case client::Lane::Put::kept_and_wake:
      one.connection.wake();
      return Sent::accepted;
    case client::Lane::Put::full:
      must_wait.fetch_add(1, std::memory_order_relaxed);
      return Sent::must_wait;
    case client::Lane::Put::closed:
      break;
  }
  return Sent::closed;
}

bool Client::Inside::flush(std::uint32_t within_ms) {
  if (!problem.empty() || in_callback()) return false;
  const BootNs deadline = clock_.boot_ns() + within_ms * ns_per_ms;
  std::array<std::uint64_t, priority_count> marks{};
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    marks[i] = classes_[i].lane.mark();
    classes_[i].connection.wake();
  }
  bool all = true;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    const std::int64_t left_ms = std::max<std::int64_t>(0, (deadline - clock_.boot_ns()) / ns_per_ms);
    all = classes_[i].lane.wait_settled(marks[i], static_cast<std::uint32_t>(left_ms)) && all;
  }
  return all;
}

std::uint64_t Client::Inside::lost() const {
  const Stats now = stats();
  return now.uncertain + now.abandoned;
}

bool Client::Inside::close(std::uint32_t within_ms) {
  if (in_callback()) return false;
  Lock lock(closing_);
  if (closed_) return *closed_;
  if (!problem.empty()) return closed_.emplace(true);
  const std::uint64_t lost_before = lost();
  for (Class& one : classes_) one.lane.close();
  loop_.spawn(shut_down(clock_.boot_ns() + within_ms * ns_per_ms));
  thread_.join();
  return closed_.emplace(lost() == lost_before);
}

// Classes drain beside each other: one that is held back must not take the time of the others.
Task<void> Client::Inside::shut_down(BootNs deadline) {
  stopping_ = classes_.size();
  for (Class& one : classes_) loop_.spawn(stop_one(one, deadline));
  co_return;
}

Task<void> Client::Inside::stop_one(Class& one, BootNs deadline) {
  co_await one.connection.async_stop(deadline);
  if (--stopping_ > 0) co_return;
  timers_.stop();
  loop_.release();
}

// Without a thread of its own: what was started ends on the caller's.
void Client::Inside::end_here() {
  loop_.spawn(shut_down(0));
  loop_.run();
}

Stats Client::Inside::stats() const {
  Stats sum;
  for (const Class& one : classes_) {
    const client::LaneStats part = one.lane.stats();
    sum.accepted += part.accepted;
    sum.dropped += part.dropped;
    sum.held += part.held_events;
    sum.counted += part.counted;
    sum.refused += part.refused;
    sum.uncertain += part.uncertain;
    sum.abandoned += part.abandoned;
    for (std::size_t i = 0; i < event_fault_count; ++i) {
      sum.rejected_by[i] += part.rejected[i];
      sum.rejected += part.rejected[i];
    }
    sum.unmatched += part.unmatched;
    sum.batches_counted += part.batches_counted;
    sum.batches_resent += part.batches_resent;
    sum.connections_lost += part.connections_lost;
    sum.held_bytes += part.held_bytes;
  }
  sum.must_wait = must_wait.load(std::memory_order_relaxed);
  sum.invalid = invalid.load(std::memory_order_relaxed);
  return sum;
}

std::string_view name_of(EventFault fault) { return nissa::name_of(static_cast<nissa::EventFault>(fault)); }

Client::Client(Options options) : options_(std::move(options)), inside_(nullptr) {
  watch_forks();
  inside_.store(new Inside(options_));
}

Client::~Client() {
  Inside* mine = inside_.load();
  // In a forked child that never used it: the thread is the parent's, and so is the memory's meaning. It is left alone.
  if (mine->fork_number != forks.load(std::memory_order_relaxed)) return;
  mine->close(options_.drain_ms);
  delete mine;
}

Client::Inside& Client::inside() const {
  Inside* mine = inside_.load(std::memory_order_acquire);
  if (mine->fork_number == forks.load(std::memory_order_relaxed)) [[likely]]
    return *mine;
  // A fork: its locks may be held by threads that do not exist here, so what was inherited is left as it is, unfreed.
  auto* fresh = new Inside(options_);
  if (inside_.compare_exchange_strong(mine, fresh)) return *fresh;
  delete fresh;
  return *mine;
}

Sent Client::send(const Event& event, Priority priority) { return inside().send(event, priority); }
void Client::dropped(std::uint64_t events, Priority priority) { inside().of(priority).lane.note_dropped(events); }
bool Client::flush(std::uint32_t within_ms) { return inside().flush(within_ms); }
bool Client::close(std::uint32_t within_ms) { return inside().close(within_ms); }
Stats Client::stats() const { return inside().stats(); }
std::string Client::problem() const { return inside().problem; }

}  // namespace nissa::agent
