#include "follow_world.hpp"

namespace nissa::tools::test {
namespace {

// The whole of it: whatever the writer, logrotate, the network, crashes of the server and kill -9 do, every line is
// counted exactly once; only what was destroyed before it could be read is not, and then something was said. Where the
// server's state is replaced, or the agent is away for more than a week, lines may be uncertain: these are told, each.
// What is told to be counted is, and each report adds up (follow_world.hpp).
TEST_CASE("under random appends, rotations, truncations, losses and kills every line is counted once or reported") {
  auto seeds = nissa::test::random_for(84);
  std::uint64_t kills = 0, crashes = 0, told_lost = 0, lines = 0, destroyed = 0, reports_in_all = 0;
  for (int round = 0; round < 150; ++round) {
    const std::uint64_t seed = seeds();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    const bool destroys = round % 3 == 0, renames = round % 2 == 0, beyond = round % 5 == 4;
    CAPTURE(destroys);
    CAPTURE(renames);
    CAPTURE(beyond);
    World world(random, destroys ? 4 : 60);
    std::uint64_t reports = 0;
    std::set<std::uint64_t> told;
    const auto harvest = [&] {
      if (!world.life) return;
      reports += world.life->counts().missing + world.life->counts().uncertain;
      if (!world.life->keyed_anew()) CHECK_MESSAGE(world.life->counts().refused == 0, world.all_said());
      told.merge(world.life->told_lost);
    };
    // Its open group is durable or not, and nobody is answered; perhaps it comes back with another state.
    const auto crash_of_server = [&] {
      ++crashes;
      world.server.fail(world.chance(50));
      world.server.answers.clear();
      world.life->lose_connection();
      if (beyond && world.chance(20)) world.server.begin_anew();
      if (beyond && world.chance(20)) {
        world.pass(static_cast<std::int64_t>(random() % (10 * 86'400'000LL)));
        world.server.forget_old();
      }
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
          if (world.chance(3)) world.life->reachable = !world.life->reachable;
          if (world.chance(3)) crash_of_server();
          if (world.chance(2)) world.server.slow();
          if (world.chance(2)) world.server.refuse_with = world.chance(50) ? Reason::none : Reason::disk_full;
          if (world.chance(2)) {
            world.life->hello.max_events = static_cast<std::uint32_t>(1 + random() % 10);
            world.life->hello.max_frame_bytes = static_cast<std::uint32_t>(600 + random() % 2'000);
          }
          world.life->step(
              world.server, world.connection, world.bodies, [&](unsigned n) { return world.chance(n); },
              [&] { return random() % 400 == 0; });
        }
        if (world.chance(50)) world.end();
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
    world.server.refuse_with = Reason::none;
    world.begin();
    world.log.append(3);
    world.to_rest();
    world.log.append(3);  // what a truncation within one tick of the file system's clock hid
    world.to_rest();
    harvest();
    for (const std::string& one : world.said) reports += one.find("truncated at byte") != std::string::npos;
    world.judge(reports, told);
    if (world.log.destroyed().empty() && !beyond) CHECK(reports == 0);
    told_lost += told.size();
    lines += world.log.written();
    destroyed += world.log.destroyed().size();
    reports_in_all += reports;
  }
  CHECK(kills > 0);
  CHECK(crashes > 0);
  CHECK(told_lost > 0);
  CHECK(destroyed > 0);
  MESSAGE(lines, " lines, ", kills, " kills, ", crashes, " crashes of the server, ", told_lost,
          " lines told lost or uncertain, ", destroyed, " lines destroyed by the model, ", reports_in_all, " reports");
}

}  // namespace
}  // namespace nissa::tools::test
