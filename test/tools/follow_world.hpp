// nissa-send's following of a file under a hand-driven stream, against the model of a log and the model of a server: no
// sockets, no waiting, time is a number. A kill drops the objects; what it leaves is the state file.
#pragma once
#include <doctest/doctest.h>

#include <optional>
#include <sstream>

#include "base/crc32c.hpp"
#include "log_model.hpp"
#include "support/model_server.hpp"
#include "support/seed.hpp"
#include "tools/follow_source.hpp"
#include "wire/varint.hpp"

namespace nissa::tools::test {

using nissa::test::ModelServer;

// The numbers of the lines in a body: request_id, field 4 of each event.
inline std::vector<std::uint64_t> numbers_in(ByteView body) {
  std::vector<std::uint64_t> numbers;
  // Events bear no time here, so request_id is the first field.
  const Byte* at = body.data();
  const Byte* const end = at + body.size();
  while (at < end) {
    ++at;
    std::uint64_t size = 0;
    REQUIRE(wire::read_varint(at, end, size) == Reason::none);
    REQUIRE(at[0] == wire::tag_of(4, wire::WireType::bytes));
    numbers.push_back(std::stoull(std::string(reinterpret_cast<const char*>(at + 2), at[1])));
    at += size;
  }
  return numbers;
}

struct Killed {};

// One life of nissa-send; what a kill -9 leaves is the state file.
class Life {
 public:
  Life(const SendOptions& options, BootNs& now, std::vector<std::string>& said, std::mt19937_64& random)
      : now_(now),
        books_(file_, options, [&said](const std::string& text) { said.push_back(text); }),
        follower_(options.follow, {[&said](const std::string& text) { said.push_back(text); },
                                   [this, &said](const std::string& text) {
                                     ++books_.counts.missing;
                                     said.push_back(text);
                                   },
                                   [this](const std::string& where) {
                                     ++books_.counts.lines;
                                     books_.bad_line(where, "no end");
                                   }}),
        source_(
            books_, follower_, options, [&said](const std::string& text) { said.push_back(text); }, true),
        stream_({}, [&random] { return random(); }) {
    auto opened = file_.open(options.state);
    REQUIRE(opened);
    if (!file_.warning().empty()) said.push_back(file_.warning());
    if (const auto& state = *opened) {
      follower_.resume(*state);
      for (auto& [priority, stored] : books_.resume(*state, follower_)) CHECK(stream_.resume(std::move(stored)));
    } else {
      follower_.begin(options.from_end);
    }
    REQUIRE(books_.keep_all(follower_));
  }

  // One turn: reads, sends what may be sent, hears what is there. `chance(n)` says yes in n of 100; where `kill` says
  // so, the process ends there and then.
  template <class Chance, class Kill>
  void step(ModelServer& server, int connection, std::map<std::uint64_t, std::vector<std::uint64_t>>& bodies,
            Chance chance, Kill kill) {
    due = source_.fill(stream_, now_);
    std::vector<std::pair<wire::BatchHeader, std::uint64_t>> out;
    std::optional<wire::Goodbye> goodbye;
    for (client::Action action = stream_.next(now_); action.kind != client::Action::Kind::wait;
         action = stream_.next(now_)) {
      if (action.kind == client::Action::Kind::connect && !reachable) {
        stream_.connection_lost(now_);
      } else if (action.kind == client::Action::Kind::connect) {
        wire::HelloAck ack = hello;
        ack.now = server.now;
        if (action.epoch) ack.epoch_known = server.knows(*action.epoch);
        stream_.connected(ack);
        most_events_ = ack.max_events;
        (void)source_.fill(stream_, now_);
      } else if (action.kind == client::Action::Kind::send_batch) {
        if (action.first) CHECK(action.body->event_count <= most_events_);
        if (action.first) source_.keyed(action.header, *action.body);
        if (kill()) throw Killed();
        const std::uint64_t tag = std::uint64_t{crc32c(action.body->bytes)} << 32 | action.body->size;
        sent_as_[action.body->tag] = tag;
        bodies.emplace(tag, numbers_in(action.body->bytes));
        out.emplace_back(action.header, tag);
      } else if (action.kind == client::Action::Kind::send_goodbye) {
        source_.goodbye(action.goodbye.epoch);
        goodbye = action.goodbye;
      } else {
        stream_.connection_lost(now_);
        out.clear();
      }
    }
    settle(server, bodies);
    if (kill()) throw Killed();
    if (!source_.before_write()) return stream_.connection_lost(now_);
    if (kill()) throw Killed();
    for (const auto& [header, tag] : out) {
      server.sent(header, tag);
      if (kill()) throw Killed();
      if (!chance(10)) server.receive(connection, header, tag);
    }
    if (goodbye) server.goodbye(*goodbye);
    if (chance(60)) server.commit();
    for (auto answer = server.answers.begin(); answer != server.answers.end(); ++answer) {
      if (chance(30)) std::swap(*answer, server.answers.back());
      if (answer->connection != connection || chance(20)) continue;
      stream_.acked(answer->ack, now_);
      if (chance(5)) stream_.acked(answer->ack, now_);
    }
    server.answers.clear();
    if (kill()) throw Killed();
    settle(server, bodies);
    if (chance(3)) stream_.connection_lost(now_);
  }
  void lose_connection() { stream_.connection_lost(now_); }
  // What is told to be counted is; the lines of what is told to be lost, or perhaps so, are noted in told_lost.
  void settle(const ModelServer& server, const std::map<std::uint64_t, std::vector<std::uint64_t>>& bodies) {
    std::vector<client::Settlement> settled;
    stream_.take_settlements(settled);
    for (const client::Settlement& one : settled) {
      const auto sent = sent_as_.find(one.tag);
      const bool counted = one.fate == client::Fate::counted || one.fate == client::Fate::duplicate;
      if (counted) CHECK_MESSAGE((sent != sent_as_.end() && server.counted.contains(sent->second)), "not counted");
      if (!counted && sent != sent_as_.end() && one.fate != client::Fate::abandoned && one.reason != Reason::none)
        told_lost.insert(bodies.at(sent->second).begin(), bodies.at(sent->second).end());
      source_.settled(one, now_);
    }
    std::vector<client::Notice> notices;
    stream_.take_notices(now_, notices);
    for (const client::Notice& one : notices) source_.noticed(one);
  }
  // As at a SIGTERM, with no time to drain.
  void end(const ModelServer& server, const std::map<std::uint64_t, std::vector<std::uint64_t>>& bodies) {
    source_.stop_cutting();
    (void)source_.fill(stream_, now_);
    stream_.give_up();
    settle(server, bodies);
    REQUIRE(books_.keep_all(follower_));
    check_sums(books_.counts.kept);
  }
  // The report adds up, when no batch grows.
  void check_sums(std::uint64_t not_settled) const {
    const FollowCounts& c = books_.counts;
    CHECK(c.lines + c.resumed == c.bad_lines + c.counted + c.refused + c.uncertain + not_settled);
  }
  bool at_rest() const { return stream_.idle() && follower_.unread() == 0; }
  // A batch that the server did not know was sent under another key: it is not split, whatever limits came since.
  bool keyed_anew() const { return stream_.counts().rekeyed > 0; }
  const FollowCounts& counts() const { return books_.counts; }
  const LogFollower& follower() const { return follower_; }
  bool reachable = true;
  std::set<std::uint64_t> told_lost;
  std::optional<BootNs> due;  // when it would look again
  wire::HelloAck hello{1U << 20, 1'000, 256, 1U << 20, {}, {}, {}, 0};

 private:
  std::uint32_t most_events_ = 0;                   // as the last HelloAck said
  std::map<std::uint64_t, std::uint64_t> sent_as_;  // the body's tag → the server's
  BootNs& now_;
  StateFile file_;
  FollowBooks books_;
  LogFollower follower_;
  FollowSource source_;
  client::Stream stream_;
};

struct World {
  explicit World(std::mt19937_64& own_random, int kept = 4) : random(own_random), log(own_random, kept) {
    options.follow = log.path();
    options.state = log.dir / "state";
    options.agent.batch_age_ms = 100;
    options.agent.batch_events = static_cast<std::uint32_t>(1 + random() % 20);
  }
  bool chance(unsigned percent) { return random() % 100 < percent; }
  void begin() { life.emplace(options, now, said, random); }
  void pass(std::int64_t ms) {
    now += ms * ns_per_ms;
    server.now.running_ms += static_cast<RunningMs>(ms);
  }
  void calm_step() {
    pass(100);
    life->step(server, connection, bodies, [](unsigned percent) { return percent == 60; }, [] { return false; });
  }
  void to_rest() {
    for (int i = 0; i < 3'000; ++i) {
      calm_step();
      if (i > 150 && life->at_rest()) return life->check_sums(0);
    }
    FAIL_CHECK("it does not come to rest");
  }
  // Written, and counted by a nissa-send that has just begun.
  void send(std::uint64_t lines) {
    log.append(lines);
    begin();
    to_rest();
  }
  // How often each line was counted.
  std::map<std::uint64_t, int> times_counted() const {
    std::map<std::uint64_t, int> times;
    for (const auto& [tag, count] : server.counted)
      for (const std::uint64_t number : bodies.at(tag)) times[number] += count;
    return times;
  }
  std::string all_said() const {
    std::ostringstream text;
    for (const std::string& one : said) text << one << "\n";
    return text.str();
  }
  // The agent ends as at a SIGTERM.
  void end() { life->end(server, bodies); }
  // Every line once; but for those that were destroyed, if something was said, and for those whose loss was told.
  void judge(std::uint64_t reports, const std::set<std::uint64_t>& told = {}) {
    const auto times = times_counted();
    std::uint64_t lost = 0;
    for (std::uint64_t number = 1; number <= log.written(); ++number) {
      const int count = times.contains(number) ? times.at(number) : 0;
      CHECK_MESSAGE(count <= 1, "counted twice: line ", number);
      if (count == 1) continue;
      if (told.contains(number)) continue;
      ++lost;
      CHECK_MESSAGE(log.destroyed().contains(number), "lost: line ", number);
    }
    // What was written and truncated before it was ever seen, nobody can know of; and what was compressed within a tick
    // of the file system's clock looks as old as what was read.
    CHECK((lost == 0 || reports > 0 || log.hidden()));
    for (const std::string& offence : server.offences) FAIL_CHECK(offence);
  }

  std::mt19937_64& random;
  LogModel log;
  SendOptions options;
  ModelServer server;
  BootNs now = 100 * ns_per_s;
  int connection = 1;
  std::map<std::uint64_t, std::vector<std::uint64_t>> bodies;
  std::vector<std::string> said;
  std::optional<Life> life;
};

}  // namespace nissa::tools::test
