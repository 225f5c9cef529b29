// What nissa-send tells of a followed file when the server or it fails: its lines and its sums, under the hand clock.
#include "follow_world.hpp"

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
