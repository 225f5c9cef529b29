// nissa-send's following of a file: its parts under a hand-driven stream, against the model of a log and the model of a
// server. No sockets, no waiting: time is a number.
#include <doctest/doctest.h>

#include <optional>
#include <sstream>

#include "base/crc32c.hpp"
#include "log_model.hpp"
#include "support/model_server.hpp"
#include "support/seed.hpp"
#include "tools/follow_source.hpp"
#include "wire/event_walk.hpp"
#include "wire/varint.hpp"

namespace nissa::tools::test {
namespace {

using nissa::test::ModelServer;

// The numbers of the lines in a body: request_id, field 4 of each event.
std::vector<std::uint64_t> numbers_in(ByteView body) {
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
                                   [this](const std::string& where) { books_.bad_line(where, "no end"); }}),
        source_(
            books_, follower_, options, [](const std::string&) {}, true),
        stream_({}, [&random] { return random(); }) {
    auto opened = file_.open(options.state);
    REQUIRE(opened);
    if (const auto& state = *opened) {
      follower_.resume(state->reading, state->done);
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
    (void)source_.fill(stream_, now_);
    std::vector<std::pair<wire::BatchHeader, std::uint64_t>> out;
    std::optional<wire::Goodbye> goodbye;
    for (client::Action action = stream_.next(now_); action.kind != client::Action::Kind::wait;
         action = stream_.next(now_)) {
      if (action.kind == client::Action::Kind::connect) {
        wire::HelloAck ack = hello;
        ack.now = server.now;
        if (action.epoch) ack.epoch_known = server.knows(*action.epoch);
        stream_.connected(ack);
        (void)source_.fill(stream_, now_);
      } else if (action.kind == client::Action::Kind::send_batch) {
        CHECK(action.body->event_count <= std::max(hello.max_events, 1U));
        if (action.first) source_.keyed(action.header, *action.body);
        if (kill()) throw Killed();
        const std::uint64_t tag = std::uint64_t{crc32c(action.body->bytes)} << 32 | action.body->size;
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
    settle();
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
    for (const auto& answer : server.answers)
      if (answer.connection == connection && !chance(20)) stream_.acked(answer.ack, now_);
    server.answers.clear();
    if (kill()) throw Killed();
    settle();
    if (chance(3)) stream_.connection_lost(now_);
  }
  void settle() {
    std::vector<client::Settlement> settled;
    stream_.take_settlements(settled);
    for (const client::Settlement& one : settled) source_.settled(one, now_);
  }
  // As at a SIGTERM, with no time to drain.
  void end() {
    source_.stop_cutting();
    stream_.give_up();
    settle();
    REQUIRE(books_.keep_all(follower_));
  }
  bool at_rest() const { return stream_.idle() && follower_.unread() == 0; }
  const FollowCounts& counts() const { return books_.counts; }
  const LogFollower& follower() const { return follower_; }
  wire::HelloAck hello{1U << 20, 1'000, 256, 1U << 20, {}, {}, {}, 0};

 private:
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
      if (i > 150 && life->at_rest()) return;
    }
    FAIL_CHECK("it does not come to rest");
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
  // Every line once; but for those that were destroyed, if something was said.
  void judge(std::uint64_t reports) {
    const auto times = times_counted();
    std::uint64_t lost = 0;
    for (std::uint64_t number = 1; number <= log.written(); ++number) {
      const int count = times.contains(number) ? times.at(number) : 0;
      CHECK_MESSAGE(count <= 1, "counted twice: line ", number);
      if (count == 1) continue;
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

TEST_CASE(
    "a file that is there is read from its start, what is appended as it comes, an unfinished line when it is whole") {
  auto random = nissa::test::random_for(71);
  World world(random);
  world.log.append(500);
  world.begin();
  world.to_rest();
  world.log.append_half();
  for (int i = 0; i < 10; ++i) world.calm_step();
  CHECK(world.times_counted().size() == 500);
  world.log.append(3);
  world.to_rest();
  world.judge(0);
  CHECK(world.times_counted().size() == 504);
  CHECK(world.life->counts().missing == 0);
}

TEST_CASE(
    "from its end only what comes is read, and what was there before stays unread through restarts and rotations") {
  auto random = nissa::test::random_for(72);
  World world(random);
  world.log.append(50);
  world.log.rename_away();
  world.log.reopen();
  world.log.append(50);
  world.options.from_end = true;
  world.begin();
  world.to_rest();
  world.log.append(10);
  world.to_rest();
  world.log.rename_away();
  world.log.reopen();
  world.log.append(10);
  world.begin();
  world.to_rest();
  const auto times = world.times_counted();
  CHECK(times.size() == 20);
  CHECK(times.begin()->first == 101);
}

TEST_CASE("a file that is not there yet is waited for, and said once") {
  auto random = nissa::test::random_for(73);
  World world(random);
  std::filesystem::remove(world.log.path());
  world.begin();
  for (int i = 0; i < 20; ++i) world.calm_step();
  CHECK(std::ranges::count_if(world.said, [](const auto& one) { return one.find("waiting for it") != one.npos; }) == 1);
  world.log.append(5);
  world.to_rest();
  world.judge(0);
}

TEST_CASE("the rest of a renamed file is read, with what is written to it late, beside the new one") {
  auto random = nissa::test::random_for(74);
  World world(random);
  world.log.append(50);
  world.begin();
  world.calm_step();
  world.log.append(20);
  world.log.rename_away();
  world.log.append(20);  // the writer was not told yet
  world.calm_step();
  world.log.append(20);
  world.log.reopen();
  world.log.append(20);
  world.to_rest();
  world.judge(0);
  CHECK(world.life->counts().missing == 0);
  // Quiet for long enough, the old one is let go.
  for (int i = 0; i < 200; ++i) world.calm_step();
  CHECK(world.life->follower().files().size() == 1);
}

TEST_CASE(
    "several rotations while it was away: the stored file is found among its siblings, and those between are read") {
  auto random = nissa::test::random_for(75);
  World world(random);
  world.log.append(50);
  world.begin();
  world.to_rest();
  world.life.reset();
  for (int i = 0; i < 3; ++i) {
    world.log.append(30);
    world.log.rename_away();
    world.log.reopen();
  }
  world.log.append(30);
  world.begin();
  world.to_rest();
  world.judge(0);
  CHECK(world.life->counts().missing == 0);
}

TEST_CASE("what was deleted while it was away is said by name, and the new file is read") {
  auto random = nissa::test::random_for(76);
  World world(random);
  world.log.append(50);
  world.begin();
  world.to_rest();
  world.life.reset();
  for (int i = 0; i < 8; ++i) {
    world.log.append(30);
    world.log.rename_away();
    world.log.reopen();
  }
  world.log.append(30);
  world.begin();
  world.to_rest();
  CHECK(world.life->counts().missing == 1);
  CHECK(world.all_said().find("is not found") != std::string::npos);
  world.judge(1);
}

TEST_CASE("copytruncate: the rest is read from the copy, live and after a restart; without a copy it is said") {
  for (const bool live : {true, false}) {
    for (const bool copied : {true, false}) {
      CAPTURE(live);
      CAPTURE(copied);
      auto random = nissa::test::random_for(77);
      World world(random);
      world.log.append(200);
      world.begin();
      world.to_rest();
      if (!live) world.life.reset();
      world.log.append(50);
      if (copied)
        world.log.copy_and_truncate();
      else
        world.log.truncate_only();
      world.log.append(20);
      if (!live) world.begin();
      world.to_rest();
      world.judge(copied ? 0 : 1);
      CHECK(world.times_counted().size() == (copied ? 270 : 220));
      if (!copied) CHECK(world.all_said().find(live ? "truncated at byte" : "is not found") != std::string::npos);
    }
  }
}

TEST_CASE("a truncated file that has grown beyond the old place is known by what stands before it") {
  auto random = nissa::test::random_for(78);
  World world(random);
  world.log.append(20);
  world.begin();
  world.to_rest();
  world.log.copy_and_truncate();
  world.log.append(500);
  world.to_rest();
  world.judge(0);
  CHECK(world.times_counted().size() == 520);
}

TEST_CASE("a line beyond 64 KiB is named and skipped, its neighbours are counted") {
  auto random = nissa::test::random_for(79);
  World world(random);
  for (const std::size_t size : {65'537U, 300'000U, 2'000'000U}) {
    world.log.append(5);
    std::ofstream(world.log.path(), std::ios::app) << std::string(size, 'y') << "\n";
    world.log.append(5);
  }
  world.begin();
  world.to_rest();
  world.judge(0);
  CHECK(world.all_said().find("longer than 64 KiB") != std::string::npos);
}

TEST_CASE("limits of HelloAck below those of the options: batches are cut by them, and no line is lost or told twice") {
  auto random = nissa::test::random_for(80);
  World world(random);
  world.options.agent.batch_events = 1'000;
  world.log.append(5'000);
  world.begin();
  world.life->hello.max_events = 7;
  world.life->hello.max_frame_bytes = 900;
  world.to_rest();
  world.judge(0);
  CHECK(world.life->counts().counted == 5'000);
  CHECK(world.life->counts().refused == 0);
  CHECK(world.life->counts().lines == world.life->counts().bad_lines + 5'000);
}

TEST_CASE("ended before all was answered, the next start sends the same under the same keys") {
  auto random = nissa::test::random_for(81);
  World world(random);
  world.log.append(300);
  world.begin();
  world.pass(100);
  // Sent and lost on the way.
  world.life->step(world.server, 0, world.bodies, [](unsigned percent) { return percent == 10; }, [] { return false; });
  world.pass(200);
  world.life->step(world.server, 0, world.bodies, [](unsigned percent) { return percent == 10; }, [] { return false; });
  world.life->end();
  CHECK(world.life->counts().kept > 0);
  CHECK(world.times_counted().empty());
  world.begin();
  world.to_rest();
  world.judge(0);
}

TEST_CASE("a kept batch whose bytes are others now is not sent, and named") {
  auto random = nissa::test::random_for(82);
  World world(random);
  world.log.append(30);
  world.begin();
  for (int i = 0; i < 4; ++i) {
    world.pass(100);
    world.life->step(
        world.server, 0, world.bodies, [](unsigned percent) { return percent == 10; }, [] { return false; });
  }
  world.life.reset();
  {
    std::fstream file(world.log.path(), std::ios::in | std::ios::out);
    file.seekp(5);
    file << "X";
  }
  world.begin();
  world.to_rest();
  CHECK(world.life->counts().uncertain > 0);
  CHECK(world.all_said().find("other bytes stand there now") != std::string::npos);
  const auto times = world.times_counted();
  CHECK_FALSE(times.contains(1));
}

TEST_CASE("other options than when it was sent: CONFLICT is final, and told by name") {
  auto random = nissa::test::random_for(83);
  World world(random);
  world.log.append(30);
  world.begin();
  for (int i = 0; i < 4; ++i) {  // counted, but the answers are lost
    world.pass(100);
    world.life->step(
        world.server, 0, world.bodies, [](unsigned percent) { return percent == 20 || percent == 60; },
        [] { return false; });
  }
  CHECK(world.times_counted().size() == 30);
  world.life.reset();
  world.options.labels = {{"region", "eu"}};
  world.begin();
  world.to_rest();
  CHECK(world.life->counts().refused == 30);
  CHECK(world.all_said().find("made with other options") != std::string::npos);
  CHECK(world.times_counted().size() == 30);
}

// The whole of it: whatever the writer, logrotate, the network and kill -9 do, every line is counted exactly once; only
// what was destroyed before it could be read is not, and then something was said.
TEST_CASE("under random appends, rotations, truncations, losses and kills every line is counted once or reported") {
  auto seeds = nissa::test::random_for(84);
  std::uint64_t kills = 0, lines = 0, destroyed = 0, reports_in_all = 0;
  for (int round = 0; round < 150; ++round) {
    const std::uint64_t seed = seeds();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const bool destroys = round % 3 == 0, renames = round % 2 == 0;
    CAPTURE(destroys);
    CAPTURE(renames);
    World world(random, destroys ? 4 : 60);
    std::uint64_t reports = 0;
    const auto harvest = [&] {
      if (!world.life) return;
      reports += world.life->counts().missing + world.life->counts().uncertain;
      CHECK(world.life->counts().refused == 0);
    };
    const auto disturb_log = [&] {
      world.log.look();
      if (world.chance(60)) world.log.append(random() % 15);
      if (world.chance(10)) world.log.append_half();
      if (world.chance(5) && renames) world.log.rename_away();
      if (world.chance(10) && renames) world.log.reopen();
      if (world.chance(3) && !renames && world.log.was_seen()) world.log.copy_and_truncate();
      if (world.chance(1) && destroys && !renames) world.log.truncate_only();
      if (world.chance(2) && round % 6 == 0) world.log.compress();
    };
    for (int life = 0; life < 6; ++life) {
      world.said.clear();
      ++world.connection;
      world.begin();
      const std::uint64_t steps = random() % 150;
      try {
        for (std::uint64_t step = 0; step < steps; ++step) {
          world.pass(static_cast<std::int64_t>(250 + random() % 200));
          if (world.chance(2)) world.pass(15'000);
          disturb_log();
          world.life->step(
              world.server, world.connection, world.bodies, [&](unsigned n) { return world.chance(n); },
              [&] { return random() % 400 == 0; });
        }
        if (world.chance(50)) world.life->end();
      } catch (const Killed&) {
        ++kills;
      }
      harvest();
      for (const std::string& one : world.said) reports += one.find("truncated at byte") != std::string::npos;
      world.life.reset();
      // Away; but no longer than files are kept, unless things may be destroyed.
      for (std::uint64_t away = random() % (destroys ? 40 : 4); away > 0; --away) disturb_log();
    }
    world.said.clear();
    ++world.connection;
    world.begin();
    world.log.append(3);
    world.to_rest();
    world.log.append(3);  // what a truncation within one tick of the file system's clock hid
    world.to_rest();
    harvest();
    for (const std::string& one : world.said) reports += one.find("truncated at byte") != std::string::npos;
    world.judge(reports);
    if (world.log.destroyed().empty()) CHECK(reports == 0);
    lines += world.log.written();
    destroyed += world.log.destroyed().size();
    reports_in_all += reports;
  }
  CHECK(kills > 0);
  CHECK(destroyed > 0);
  MESSAGE(lines, " lines, ", kills, " kills, ", destroyed, " lines destroyed by the model, ", reports_in_all,
          " reports");
}

}  // namespace
}  // namespace nissa::tools::test
