#include "tools/send_follow.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <fstream>
#include <limits>

#include "async/byte_stream.hpp"
#include "async/strand.hpp"
#include "async/timer.hpp"
#include "client/event_check.hpp"
#include "client/os_random.hpp"
#include "net/tcp_connect.hpp"
#include "tools/access_log.hpp"
#include "tools/amount.hpp"
#include "tools/event_lines.hpp"
#include "tools/follow_source.hpp"

namespace nissa::tools {
namespace {

constexpr std::int64_t tick_ns = 250 * ns_per_ms;

// By its first line, whose beginning is enough.
bool is_access_log(const std::string& path) {
  std::array<char, 4'096> head;
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view all(head.data(), static_cast<std::size_t>(file.gcount()));
  return looks_like_access_line(all.substr(0, all.find('\n')));
}

class FollowRun {
 public:
  FollowRun(const SendOptions& options, const std::atomic<bool>& stop, const FollowCalls& calls)
      : options_(options),
        stop_(stop),
        calls_(calls),
        books_(state_file_, options, calls.say),
        follower_(options.follow, sayings()) {}

  Status begin();
  SendOutcome run() {
    spawn_on(strand_, script());
    spawn_on(strand_, show());
    loop_.run();
    return outcome();
  }

 private:
  LogFollower::Sayings sayings() {
    return {calls_.say,
            [this](const std::string& what) {
              ++books_.counts.missing;
              calls_.say(what);
            },
            [this](const std::string& where) {
              ++books_.counts.lines;
              books_.bad_line(where, "not counted");
            }};
  }
  Status check_state(const SendState& state) const;
  void make_class(Priority priority, bool cuts, std::vector<client::Stored> stored);
  Task<void> script();
  Task<void> show();
  Task<void> stop_one(client::Connection& connection, BootNs deadline);
  SendFigures figures() const;
  SendOutcome outcome() const;

  const SendOptions& options_;
  const std::atomic<bool>& stop_;
  const FollowCalls& calls_;
  StateFile state_file_;
  FollowBooks books_;
  LogFollower follower_;
  SystemClock clock_;
  EventLoop loop_{1};
  Timers timers_{loop_, clock_};
  Strand strand_{loop_};
  std::deque<FollowSource> sources_;
  std::deque<client::Connection> connections_;
  std::size_t stopping_ = 0;
  bool ended_ = false;
};

Status FollowRun::check_state(const SendState& state) const {
  if (state.path == options_.follow) return {};
  const auto now_there = facts_of(options_.follow);
  const auto same = [&now_there](const FilePoint& point) { return now_there && point.inode == now_there->inode; };
  if (std::ranges::any_of(state.reading, same)) return {};
  return failure("the state file " + options_.state + " is of " + state.path + ", not of " + options_.follow +
                 ": give each file a --state of its own");
}

Status FollowRun::begin() {
  auto opened = state_file_.open(options_.state);
  if (!opened) return std::unexpected(opened.error());
  if (!state_file_.warning().empty()) calls_.say(state_file_.warning());
  std::vector<std::pair<Priority, client::Stored>> stored;
  if (const auto& state = *opened) {
    if (auto checked = check_state(*state); !checked) return checked;
    if (state->meaning != meaning_of(options_))
      calls_.say(
          "the options that make events of lines are others than at the last start" +
          std::string(state->cuts.empty() ? "" : ": what was sent then and not answered may be refused now, by name"));
    follower_.resume(*state);
    stored = books_.resume(*state, follower_);
    if (!stored.empty())
      calls_.say(amount(stored.size(), "batch of an earlier start is sent again",
                        "batches of an earlier start are sent again"));
  } else {
    follower_.begin(options_.from_end);
  }
  const auto own = static_cast<Priority>(options_.priority);
  for (const Priority priority : all_priorities) {
    std::vector<client::Stored> of_class;
    for (auto& [whose, one] : stored)
      if (whose == priority) of_class.push_back(std::move(one));
    if (priority == own || !of_class.empty()) make_class(priority, priority == own, std::move(of_class));
  }
  if (!books_.keep_all(follower_)) return failure("the state file " + options_.state + " cannot be written");
  return {};
}

void FollowRun::make_class(Priority priority, bool cuts, std::vector<client::Stored> stored) {
  client::StreamOptions stream_options;
  stream_options.priority = priority;
  stream_options.max_held_bytes = std::numeric_limits<std::uint64_t>::max();  // the source's bounds hold
  stream_options.answer_timeout_ns = options_.agent.answer_timeout_ms * ns_per_ms;
  client::Stream stream(stream_options, client::os_random_bits);
  for (client::Stored& one : stored) {
    const client::Settlement refused{one.body.tag, client::Fate::uncertain, Reason::header_invalid,
                                     one.body.event_count};
    if (!stream.resume(std::move(one))) books_.settled(refused);
  }
  client::ConnectionOptions how;
  how.agent = options_.agent.agent;
  how.token = options_.agent.token;
  how.dead_after_ns = options_.agent.answer_timeout_ms * ns_per_ms;
  how.write_bytes = 1U << 20;  // one fdatasync each
  FollowSource& source = sources_.emplace_back(books_, follower_, options_, calls_.say, cuts);
  connections_.emplace_back(strand_, timers_, clock_, how, std::move(stream), source, [this](BootNs deadline) {
    return net::tcp_connect(strand_, timers_, options_.agent.host, options_.agent.port, deadline);
  });
  connections_.back().start();
}

// The signal's handler may only set a flag, so it is looked at, rather than waited for.
Task<void> FollowRun::script() {
  strand_.entered();
  for (client::Connection& one : connections_) one.wake();
  while (!stop_ && co_await timers_.sleep_for(tick_ns) == Slept::elapsed) continue;
  for (FollowSource& one : sources_) one.stop_cutting();
  const BootNs deadline = timers_.now() + options_.drain_s * ns_per_s;
  stopping_ = connections_.size();
  for (client::Connection& one : connections_) spawn_on(strand_, stop_one(one, deadline));
}

Task<void> FollowRun::stop_one(client::Connection& connection, BootNs deadline) {
  co_await connection.async_stop(deadline);
  if (--stopping_ > 0) co_return;
  ended_ = true;
  (void)books_.keep_all(follower_);
  timers_.stop();
  loop_.release();
}

Task<void> FollowRun::show() {
  strand_.entered();
  while (!ended_) {
    if (calls_.progress) calls_.progress(figures());
    if (co_await timers_.sleep_for(tick_ns) == Slept::cancelled) break;
  }
}

SendFigures FollowRun::figures() const {
  SendFigures figures;
  figures.lines = books_.counts.lines;
  figures.acknowledged = books_.counts.counted;
  figures.in_flight = books_.events_in_flight();
  figures.lag_bytes = follower_.unread();
  return figures;
}

SendOutcome FollowRun::outcome() const {
  const FollowCounts& counts = books_.counts;
  SendOutcome outcome;
  outcome.following = true;
  outcome.lines = counts.lines;
  outcome.bad_lines = counts.bad_lines;
  outcome.resumed = counts.resumed;
  outcome.kept = counts.kept;
  outcome.missing = counts.missing;
  outcome.stats.counted = counts.counted;
  outcome.stats.refused = counts.refused;
  outcome.stats.uncertain = counts.uncertain;
  for (std::size_t i = 0; i < event_fault_count; ++i) {
    outcome.stats.rejected_by[i] = counts.rejected[i];
    outcome.stats.rejected += counts.rejected[i];
  }
  for (const FollowSource& one : sources_) {
    outcome.stats.batches_resent += one.batches_resent();
    outcome.stats.connections_lost += one.connections_lost();
  }
  return outcome;
}

}  // namespace

Result<SendOutcome> send_followed(const SendOptions& options, const std::atomic<bool>& stop, const FollowCalls& calls) {
  if (const std::string problem = client::problem_with(options.agent); !problem.empty()) return failure(problem);
  if (options.service.empty() && options.format == SendOptions::Format::automatic && is_access_log(options.follow))
    return failure(options.follow + " is an access log, whose lines name no service: --service NAME is missing");
  FollowRun run(options, stop, calls);
  if (auto begun = run.begin(); !begun) return std::unexpected(begun.error());
  return run.run();
}

}  // namespace nissa::tools
