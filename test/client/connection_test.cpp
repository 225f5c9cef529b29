// A connection against the model server, over memory, under the hand clock.
#include "client/connection.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <set>

#include "async/strand.hpp"
#include "client/explain.hpp"
#include "support/hand_loop.hpp"
#include "support/memory_stream.hpp"
#include "support/peer_server.hpp"
#include "support/seed.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::HandLoop;
using nissa::test::LinkOptions;
using nissa::test::memory_pair;
using nissa::test::MemoryLink;
using nissa::test::PeerServer;

// Bodies as PeerServer reads them, and padding; tags from 1.
class Bodies final : public BatchSource {
 public:
  std::deque<Body> due;
  std::map<std::uint64_t, Fate> fates;
  std::vector<std::string> links;

  void add(std::size_t size = 100) {
    Body body;
    body.tag = ++tags_;
    body.bytes.resize(size);
    body.bytes[0] = 10 << 3 | 2;
    body.bytes[1] = 8;
    std::memcpy(body.bytes.data() + 2, &body.tag, sizeof body.tag);
    body.size = static_cast<std::uint32_t>(size);
    body.event_count = 1;
    due.push_back(std::move(body));
  }
  std::optional<BootNs> fill(Stream& stream, BootNs) override {
    while (!due.empty() && stream.enqueue(due.front()) == Taken::accepted) due.pop_front();
    return std::nullopt;
  }
  void settled(const Settlement& one, BootNs) override { CHECK(fates.emplace(one.tag, one.fate).second); }
  void link_changed(bool up, std::string_view why) override { links.push_back(up ? "up" : std::string(why)); }
  void noticed(const Notice& notice) override { said.push_back(text_of(notice)); }
  std::vector<std::string> said;
  void keyed(const wire::BatchHeader& header, const Body&) override { unkept.push_back(header.key()); }
  void goodbye(Epoch) override { goodbye_unkept = true; }
  bool before_write() override {
    if (!can_keep) return false;
    kept.insert(unkept.begin(), unkept.end());
    unkept.clear();
    goodbye_unkept = false;
    return true;
  }
  std::vector<BatchKey> unkept;
  std::set<BatchKey> kept;
  bool can_keep = true, goodbye_unkept = false;

 private:
  std::uint64_t tags_ = 0;
};

struct World {
  explicit World(LinkOptions link_options = {}, StreamOptions stream_options = {}, ConnectionOptions options = {})
      : link(link_options) {
    options.agent = "tester";
    connection = std::make_unique<Connection>(
        strand, hand.timers, hand.clock, options,
        Stream(stream_options, [n = 0ULL]() mutable { return ++n * 0x9E3779B97F4A7C15ULL; }), source,
        [this](BootNs deadline) { return connect(deadline); });
    connection->start();
  }
  ~World() {
    if (!stopped) stop(0);
    for (const auto& one : links) one->cut();  // ends the server's side where it was stalled
  }

  Task<Result<std::shared_ptr<ByteStream>>> connect(BootNs deadline) {
    ++attempts;
    if (black_hole) {
      (void)co_await hand.timers.sleep_until(deadline);
      co_return failure("no answer in time");
    }
    if (!reachable) co_return failure("nobody is there");
    ++link.seed;
    auto pair = memory_pair(hand.timers, link);
    links.push_back(pair.link);
    hand.loop.spawn(server.serve(pair.far));
    co_return pair.near;
  }
  void wake() {
    connection->wake();
    hand.settle();
  }
  void stop(std::int64_t within_ns) {
    stopped = true;
    CHECK(hand.get(connection->async_stop(hand.clock.boot_ns() + within_ns)));
  }

  HandLoop hand;
  Strand strand{hand.loop};
  LinkOptions link;
  PeerServer server;
  Bodies source;
  std::vector<std::shared_ptr<MemoryLink>> links;
  int attempts = 0;
  bool reachable = true, stopped = false, black_hole = false;
  std::unique_ptr<Connection> connection;
};

TEST_CASE("nothing is connected before there is something to send; then hello, batches, acks") {
  World world;
  world.hand.pass(ns_per_s);
  CHECK(world.attempts == 0);
  for (int i = 0; i < 5; ++i) world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  CHECK(world.source.fates.size() == 5);
  REQUIRE(world.server.hellos.size() == 1);
  CHECK(world.server.hellos[0].agent == "tester");
  CHECK_FALSE(world.server.hellos[0].epoch.has_value());
  REQUIRE(!world.server.agents.empty());
  CHECK(world.server.agents[0] == "tester");
  CHECK(world.source.links == std::vector<std::string>{"up"});
  world.stop(ns_per_s);
  CHECK(world.server.goodbyes.size() == 1);
  CHECK(world.server.model.offences.empty());
}

TEST_CASE("a key is told to the source, and kept by it, before a byte of its batch goes out; so is a Goodbye") {
  World world;
  std::vector<BatchKey> seen;
  world.server.swallow = [&](const wire::BatchHeader& header) {
    CHECK(world.source.kept.contains(header.key()));
    seen.push_back(header.key());
    return false;
  };
  for (int i = 0; i < 300; ++i) world.source.add(10'000);
  world.wake();
  world.hand.pass(ns_per_s);
  CHECK(world.source.fates.size() == 300);
  CHECK(world.source.kept == std::set<BatchKey>(seen.begin(), seen.end()));
  world.stop(ns_per_s);
  CHECK(world.server.goodbyes.size() == 1);
  CHECK_FALSE(world.source.goodbye_unkept);
}

TEST_CASE("what cannot be kept is not sent; once it can, all goes out") {
  World world;
  world.source.can_keep = false;
  for (int i = 0; i < 3; ++i) world.source.add();
  world.wake();
  world.hand.pass(40 * ns_per_s);
  CHECK(world.server.batches_seen == 0);
  CHECK(world.source.fates.empty());
  world.source.can_keep = true;
  world.hand.pass(40 * ns_per_s);
  CHECK(world.source.fates.size() == 3);
  CHECK(world.server.model.offences.empty());
}

TEST_CASE("a connection attempt without an answer does not hold up the stop beyond its deadline") {
  for (const bool stop_first : {true, false}) {
    World world;
    world.black_hole = true;
    world.source.add();
    if (!stop_first) world.wake();
    if (!stop_first) world.hand.pass(ns_per_s);
    const BootNs before = world.hand.clock.boot_ns();
    world.stop(2 * ns_per_s);
    CHECK(world.hand.clock.boot_ns() - before <= 2 * ns_per_s);
    CHECK(world.source.fates.at(1) == Fate::abandoned);
  }
}

TEST_CASE("what may be sent goes out in one write") {
  World world;
  for (int i = 0; i < 200; ++i) world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  CHECK(world.source.fates.size() == 200);
  CHECK(world.server.writes_seen <= 4);  // hello, the batches, heartbeat
}

TEST_CASE("one by one, if so asked") {
  ConnectionOptions options;
  options.write_bytes = 1;
  World world({}, {}, options);
  for (int i = 0; i < 20; ++i) world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  CHECK(world.source.fates.size() == 20);
}

TEST_CASE("heartbeats keep an idle connection alive and tell the round trip") {
  LinkOptions link;
  link.least_delay_ns = link.most_delay_ns = 3 * ns_per_ms;
  World world(link);
  world.source.add();
  world.wake();
  world.hand.pass(300 * ns_per_s);
  CHECK(world.attempts == 1);
  REQUIRE(world.server.heartbeats.size() >= 14);
  CHECK(world.server.heartbeats[0].round_trip_ns == 6 * ns_per_ms);
  CHECK(world.server.heartbeats.back().round_trip_ns == 6 * ns_per_ms);
}

TEST_CASE("a connection that is cut is made again, and what was in doubt is sent again under its key") {
  World world;
  world.server.after_read = [] {};  // no answers
  for (int i = 0; i < 3; ++i) world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  CHECK(world.server.batches_seen == 3);
  world.server.after_read = [&] { world.server.model.commit(); };
  world.links[0]->cut();
  world.hand.pass(31 * ns_per_s);
  CHECK(world.attempts == 2);
  CHECK(world.server.hellos[1].epoch.has_value());
  CHECK(world.source.fates.size() == 3);
  CHECK(world.server.model.offences.empty());
}

TEST_CASE("why a connection ended is told: closed, cut, not answered, or sent away with the reason") {
  const auto told = [](auto end, Reason go_away = Reason::none) {
    World world;
    world.server.after_read = [] {};  // no answers
    world.source.add();
    world.wake();
    world.hand.pass(ns_per_s);
    if (go_away != Reason::none) world.hand.loop.spawn(world.server.say_go_away(go_away));
    world.hand.pass(ns_per_s);
    end(world);
    world.hand.settle();
    REQUIRE(world.source.links.size() >= 2);
    CHECK(world.source.links[0] == "up");
    return world.source.links[1];
  };
  const auto a_minute = [](World& world) { world.hand.pass(61 * ns_per_s); };
  CHECK(told([](World& world) { world.links[0]->cut(); }) == "the connection broke");
  CHECK(told(a_minute) == "a batch was not answered for too long");
  CHECK(told(a_minute, Reason::shutting_down) ==
        "the server ended the connection: it is being stopped or restarted (shutting_down)");
  CHECK(told([](World& world) { world.links[0]->cut(); }, Reason::idle) ==
        "the server ended the connection: nothing was said for too long (idle)");
}

TEST_CASE("that a class is refused for now is told once, and that it is taken again, without another batch") {
  World world;
  world.server.model.refuse_with = Reason::disk_full;
  world.server.model.retry_after_ms = 1'000;
  for (int i = 0; i < 3; ++i) world.source.add();
  world.wake();
  world.hand.pass(3'600 * ns_per_s);
  CHECK(world.source.said ==
        std::vector<std::string>{"the server takes no batches of this class for now: its disk is nearly full, make "
                                 "room on it (disk_full); all is kept and sent again"});
  world.server.model.refuse_with = Reason::none;
  world.hand.pass(2 * ns_per_s);
  CHECK(world.source.fates.size() == 3);
  CHECK(world.source.said.size() == 1);
  world.hand.pass(10 * ns_per_s);
  REQUIRE(world.source.said.size() == 2);
  CHECK(world.source.said[1] == "the server takes batches of this class again");
}

TEST_CASE("another state behind the same address is told when the connection stands again") {
  World world;
  world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  world.links[0]->cut();
  world.source.add();
  world.wake();
  world.hand.pass(31 * ns_per_s);
  CHECK(world.source.said.empty());
  world.server.model.begin_anew();
  world.links[1]->cut();
  world.source.add();
  world.wake();
  world.hand.pass(31 * ns_per_s);
  REQUIRE(world.source.said.size() == 1);
  CHECK(world.source.said[0].starts_with("the server has another state than before: "));
  CHECK(world.source.fates.size() == 3);
}

TEST_CASE("an unplugged cable is found out, with something in flight and without") {
  for (const bool idle : {true, false}) {
    CAPTURE(idle);
    World world;
    world.source.add();
    world.wake();
    world.hand.pass(ns_per_s);
    world.links[0]->stall();
    if (!idle) world.source.add();
    world.wake();
    world.hand.pass(100 * ns_per_s);
    CHECK(world.source.links.size() >= 2);
    world.source.add();
    world.wake();
    world.hand.pass(100 * ns_per_s);
    CHECK(world.source.fates.size() == (idle ? 2 : 3));
  }
}

TEST_CASE("a server that does not read costs the connection after a minute, not the batch") {
  LinkOptions link;
  link.most_in_flight = 1'000;
  World world(link);
  bool deaf = true;
  world.server.after_read = [&] {
    if (deaf && world.server.batches_seen > 0) world.links.back()->stall();
    world.server.model.commit();
  };
  for (int i = 0; i < 5; ++i) world.source.add(5'000);
  world.wake();
  world.hand.pass(50 * ns_per_s);
  CHECK(world.attempts == 1);
  deaf = false;
  world.hand.pass(60 * ns_per_s);
  CHECK(world.attempts >= 2);
  CHECK(world.source.fates.size() == 5);
}

TEST_CASE("nobody there: tries again with growing pauses, for ever") {
  World world;
  world.reachable = false;
  world.source.add();
  world.wake();
  world.hand.pass(600 * ns_per_s);
  CHECK(world.attempts > 20);
  CHECK(world.attempts < 200);
  CHECK(world.source.links[0] == "nobody is there");
  world.reachable = true;
  world.hand.pass(31 * ns_per_s);
  CHECK(world.source.fates.size() == 1);
}

TEST_CASE("stopping drains what is there; beyond the deadline it is given up and told") {
  World world;
  for (int i = 0; i < 3; ++i) world.source.add();
  world.wake();
  world.hand.pass(ns_per_s);
  world.server.after_read = [] {};
  for (int i = 0; i < 3; ++i) world.source.add();
  world.stop(5 * ns_per_s);
  REQUIRE(world.source.fates.size() == 6);
  CHECK(world.source.fates[6] == Fate::uncertain);

  World absent;
  absent.reachable = false;
  absent.source.add();
  absent.stop(5 * ns_per_s);
  CHECK(absent.source.fates[1] == Fate::abandoned);
}

TEST_CASE("a server that answers hello with GoAway, or not at all, is left and tried again") {
  World world;
  world.server.mute = true;
  world.source.add();
  world.wake();
  world.hand.pass(4 * ns_per_s);
  CHECK(world.source.links.empty());
  world.hand.pass(2 * ns_per_s);
  REQUIRE(world.source.links.size() == 1);
  CHECK(world.source.links[0] == "no HelloAck in time");
  world.server.mute = false;
  world.server.refuse_hello = Reason::too_many_connections;
  world.hand.pass(6 * ns_per_s);
  CHECK(world.source.links.back() ==
        "the server ended the connection: it has no room for another connection (too_many_connections)");
  world.server.refuse_hello = Reason::none;
  world.hand.pass(31 * ns_per_s);
  CHECK(world.source.fates.size() == 1);
}

TEST_CASE("through pieces, delays and cuts each batch is counted once") {
  auto random = nissa::test::random_for(30);
  for (int round = 0; round < 30; ++round) {
    LinkOptions link;
    link.seed = random();
    CAPTURE(link.seed);
    link.longest_piece = 1 + random() % 2'000;
    link.most_in_flight = 500 + random() % 20'000;
    link.most_delay_ns = static_cast<std::int64_t>(random() % (20 * ns_per_ms));
    ConnectionOptions options;
    options.write_bytes = random() % 2 == 0 ? 1 : 4'000;
    World world(link, {}, options);
    if (random() % 2 == 0) world.server.swallow = [&](const wire::BatchHeader&) { return random() % 50 == 0; };
    std::uint64_t added = 0;
    for (int step = 0; step < 60; ++step) {
      for (std::uint64_t n = random() % 10; n > 0; --n, ++added) world.source.add(10 + random() % 3'000);
      world.wake();
      world.hand.pass(static_cast<std::int64_t>(random() % (200 * ns_per_ms)));
      if (random() % 10 == 0 && !world.links.empty()) world.links.back()->cut();
    }
    world.server.swallow = nullptr;
    world.stop(600 * ns_per_s);
    CHECK(world.source.fates.size() == added);
    for (const auto& [tag, fate] : world.source.fates) {
      CHECK((fate == Fate::counted || fate == Fate::duplicate));
      CHECK(world.server.model.counted[tag] == 1);
    }
    for (const std::string& offence : world.server.model.offences) FAIL_CHECK(offence);
  }
}

}  // namespace
}  // namespace nissa::client::test
