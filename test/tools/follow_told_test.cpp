// What nissa-send tells of a followed file when the server or it fails: its lines and its sums, under the hand clock.
#include "follow_world.hpp"
#include "support/files_in.hpp"

namespace nissa::tools::test {
namespace {

constexpr std::int64_t hour_ms = 3'600'000, day_ms = 24 * hour_ms;

// What was said but for lines that are none, which the model of a log has now and then.
std::vector<std::string> said_beside_lines(const World& world) {
  std::vector<std::string> said = world.said;
  std::erase_if(said, [](const std::string& one) { return one.find("is neither a JSON object") != one.npos; });
  return said;
}

// 30 lines were sent, in batches, and nobody heard whether they were counted: `counted`, or lost on the way.
struct InDoubt : World {
  InDoubt(std::mt19937_64& own_random, bool counted) : World(own_random) {
    options.agent.batch_events = 10;
    log.append(30);
    begin();
    for (int i = 0; i < 4; ++i) {
      pass(100);
      life->step(
          server, 0, bodies,
          [counted](unsigned percent) { return counted ? percent == 60 || percent == 20 : percent == 10; },
          [] { return false; });
      server.answers.clear();
    }
    CHECK(times_counted().size() == (counted ? 30 : 0));
  }
  void kill_and_begin() {
    life.reset();
    said.clear();
    begin();
  }
  std::uint64_t times_said(const std::string& text) const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(said, [&](const std::string& one) { return one.find(text) != one.npos; }));
  }
};

TEST_CASE("killed while batches were in doubt: nothing is told to be lost, for they were counted once") {
  auto random = nissa::test::random_for(89);
  for (const bool counted : {true, false}) {
    InDoubt world(random, counted);
    world.kill_and_begin();
    world.to_rest();
    world.judge(0);
    CHECK(said_beside_lines(world).empty());
    CHECK(world.life->counts().counted == 30);
    CHECK(world.life->counts().resumed == 30);
    CHECK(world.life->counts().lines == world.life->counts().bad_lines);
  }
}

TEST_CASE(
    "the server's state was replaced while it was away: told once, and each batch in doubt as uncertain by name") {
  auto random = nissa::test::random_for(90);
  for (const bool killed : {true, false}) {
    CAPTURE(killed);
    InDoubt world(random, true);
    if (killed) world.kill_and_begin();
    world.life->lose_connection();
    world.server.begin_anew();
    world.log.append(5);
    world.to_rest();
    const FollowCounts& counts = world.life->counts();
    CHECK(counts.uncertain == 30);
    CHECK(counts.counted == 5);
    CHECK(world.times_said("the server has another state than before: its state directory was replaced or restored") ==
          1);
    CHECK(world.times_said(
              ": 10 events uncertain (counted once or not at all): they were first sent to another state of the "
              "server: its state directory was replaced or restored (unknown_epoch)") == 3);
    CHECK(world.times_said(world.log.path() + ", bytes 0 to ") == 1);
  }
}

// The slot that was written last no longer holds what was written.
void damage_newer_slot(const std::string& path) {
  std::fstream raw(path, std::ios::in | std::ios::out | std::ios::binary);
  std::array<std::uint64_t, 2> generations{};
  for (std::size_t slot = 0; slot < 2; ++slot) {
    raw.seekg(static_cast<std::streamoff>(slot * 65'536 + 16));
    raw.read(reinterpret_cast<char*>(&generations[slot]), 8);
  }
  raw.seekp(generations[0] > generations[1] ? 30 : 65'536 + 30);
  raw << "damage";
}

TEST_CASE(
    "a slot of the state file that cannot be read is said: no line is lost, and counted twice are those that only a "
    "damaged one knew to be sent") {
  auto random = nissa::test::random_for(96);
  for (const bool sent : {true, false}) {
    CAPTURE(sent);
    World world(random);
    world.options.agent.batch_events = 100;
    world.send(200);
    world.log.append(30);
    if (sent) {
      while (world.times_counted().size() < 230) world.calm_step();
    } else {
      // It ends between the write of the slot and that to the server.
      const std::string kept = nissa::test::read_file(world.options.state);
      const auto kept_anew = [&] { return nissa::test::read_file(world.options.state) != kept; };
      const auto step = [&] {
        world.pass(100);
        world.life->step(world.server, world.connection, world.bodies, [](unsigned) { return false; }, kept_anew);
      };
      CHECK_THROWS_AS(while (true) step(), Killed);
    }
    world.life.reset();
    damage_newer_slot(world.options.state);
    world.begin();
    CHECK(std::ranges::count_if(
              world.said, [](const auto& one) { return one.contains("cannot be read. The other one is used"); }) == 1);
    world.to_rest();
    const auto times = world.times_counted();
    CHECK(times.size() == 230);
    for (const auto& [line, count] : times) CHECK(count == (sent && line > 200 ? 2 : 1));
    CHECK(world.server.offences.empty());
    // Both slots were written since.
    world.life.reset();
    world.said.clear();
    world.begin();
    CHECK(world.said.empty());
  }
}

TEST_CASE("a damaged slot that alone knew that an epoch has ended: what was counted of it is told as uncertain") {
  auto random = nissa::test::random_for(97);
  InDoubt world(random, true);
  world.kill_and_begin();
  for (int i = 0; i < 5; ++i) world.calm_step();  // settled, and Goodbye said, within the second of one write
  world.life.reset();
  damage_newer_slot(world.options.state);
  world.begin();
  world.to_rest();
  CHECK(world.life->counts().uncertain == 30);
  for (const auto& [line, count] : world.times_counted()) CHECK(count == 1);
  CHECK(std::ranges::count(world.server.offences, "an epoch used after its Goodbye") == 3);
}

TEST_CASE("a week away with batches in doubt: counted within 7 days; when the server has forgotten them, uncertain") {
  auto random = nissa::test::random_for(91);
  for (const std::int64_t away : {hour_ms, 6 * day_ms + 23 * hour_ms, 8 * day_ms + hour_ms}) {
    CAPTURE(away);
    const bool forgotten = away > 8 * day_ms;
    InDoubt world(random, false);
    world.life.reset();
    world.pass(away);
    world.server.forget_old();
    world.kill_and_begin();
    world.to_rest();
    CHECK(world.life->counts().counted == (forgotten ? 0 : 30));
    CHECK(world.life->counts().uncertain == (forgotten ? 30 : 0));
    CHECK(world.times_said("the server has forgotten their epoch, as it may once 7 days of its running time") ==
          (forgotten ? 3 : 0));
    if (!forgotten) CHECK(said_beside_lines(world).empty());
  }
}

TEST_CASE(
    "a server that takes nothing for now is told once with the reason, that it takes batches again, and no loss") {
  auto random = nissa::test::random_for(92);
  for (const Reason reason : {Reason::disk_full, Reason::journal_slow, Reason::shutting_down, Reason::window_full}) {
    World world(random);
    world.server.refuse_with = reason;
    world.server.retry_after_ms = 1'000;
    world.log.append(30);
    world.begin();
    for (int i = 0; i < 600; ++i) world.calm_step();
    const auto said = said_beside_lines(world);
    REQUIRE(said.size() == 1);
    CHECK(said[0].starts_with("the server takes no batches of this class for now: "));
    CHECK(said[0].ends_with("(" + std::string(name_of(reason)) + "); all is kept and sent again"));
    world.server.refuse_with = Reason::none;
    world.to_rest();
    for (int i = 0; i < 110; ++i) world.calm_step();
    REQUIRE(said_beside_lines(world).size() == 2);
    CHECK(said_beside_lines(world)[1] == "the server takes batches of this class again");
    world.judge(0);
  }
}

TEST_CASE("with other options than when it was sent: refused by name, and the sums hold") {
  auto random = nissa::test::random_for(93);
  InDoubt world(random, true);
  world.life.reset();
  world.options.labels = {{"region", "eu"}};
  world.kill_and_begin();
  world.to_rest();
  CHECK(world.life->counts().refused == 30);
  CHECK(world.times_said(
            ": 10 events refused: the server counted other events for these lines before, made with other options") ==
        3);
}

TEST_CASE("what ended unanswered is kept, and the next report has it beside its own lines") {
  auto random = nissa::test::random_for(94);
  InDoubt world(random, false);
  world.log.append(7);
  world.pass(100);
  world.end();
  CHECK(world.life->counts().kept >= 30);
  CHECK(said_beside_lines(world).empty());
  world.kill_and_begin();
  world.to_rest();
  CHECK(world.life->counts().resumed == 30);
  CHECK(world.life->counts().lines == 7 + world.life->counts().bad_lines);
  CHECK(world.life->counts().counted == 37);
  world.judge(0);
}

}  // namespace
}  // namespace nissa::tools::test
