// What nissa-send promises of a followed file, one by one.
#include "follow_world.hpp"

namespace nissa::tools::test {
namespace {

TEST_CASE(
    "a file that is there is read from its start, what is appended as it comes, an unfinished line when it is whole") {
  auto random = nissa::test::random_for(71);
  World world(random);
  world.send(500);
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
  world.log.rotate_after(50);
  world.log.append(50);
  world.options.from_end = true;
  world.begin();
  world.to_rest();
  world.log.append(10);
  world.to_rest();
  world.log.rename_away();
  world.log.reopen();
  world.send(10);
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

TEST_CASE("troubles that come in turn are said once each, and again once something was read since") {
  auto random = nissa::test::random_for(88);
  World world(random);
  const std::string path = world.log.path();
  const auto trouble = [&] {
    for (int i = 0; i < 20; ++i) {
      std::filesystem::remove(path);
      for (int k = 0; k < 4; ++k) world.calm_step();
      std::filesystem::create_directory(path);
      for (int k = 0; k < 4; ++k) world.calm_step();
    }
    std::filesystem::remove(path);
  };
  const auto times_said = [&](const char* what) {
    return std::ranges::count_if(world.said, [&](const auto& one) { return one.find(what) != one.npos; });
  };
  std::filesystem::remove(path);
  world.begin();
  trouble();
  CHECK(times_said("waiting for it") == 1);
  CHECK(times_said("is no file that grows") == 1);
  std::ofstream(path).flush();
  for (int k = 0; k < 4; ++k) world.calm_step();
  std::filesystem::remove(path);
  trouble();
  CHECK(times_said("is no file that grows") == 2);
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
  world.send(50);
  world.life.reset();
  for (int i = 0; i < 3; ++i) {
    world.log.rotate_after(30);
  }
  world.send(30);
  world.judge(0);
  CHECK(world.life->counts().missing == 0);
}

TEST_CASE("what was deleted while it was away is said by name, and the new file is read") {
  auto random = nissa::test::random_for(76);
  World world(random);
  world.send(50);
  world.life.reset();
  for (int i = 0; i < 8; ++i) {
    world.log.rotate_after(30);
  }
  world.send(30);
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
      world.send(200);
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
      // Live, all that was there at the last look was read: nobody knows that there was more.
      CHECK(world.life->counts().missing == (copied || live ? 0 : 1));
      if (!copied) CHECK(world.all_said().find(live ? "truncated at byte" : "is not found") != std::string::npos);
    }
  }
}

TEST_CASE("a truncated file that has grown beyond the old place is known by what stands before it") {
  auto random = nissa::test::random_for(78);
  World world(random);
  world.send(20);
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

TEST_CASE("limits of HelloAck for what was read of a file that is truncated by then: it is cut anew, or told") {
  for (const bool seen : {true, false}) {
    for (const bool copied : {true, false}) {
      CAPTURE(seen);
      CAPTURE(copied);
      auto random = nissa::test::random_for(85);
      World world(random);
      world.options.agent.batch_events = 50;
      world.log.append(200);
      world.begin();
      world.life->reachable = false;
      for (int i = 0; i < 10; ++i) world.calm_step();
      if (copied)
        world.log.copy_and_truncate();
      else
        world.log.truncate_only();
      for (int i = 0; seen && i < 10; ++i) world.calm_step();
      world.log.append(20);
      world.life->hello.max_events = 7;
      world.life->reachable = true;
      world.to_rest();
      world.judge(copied ? 0 : 1);
      const FollowCounts& counts = world.life->counts();
      CHECK(counts.counted == (copied ? 220 : 20));
      CHECK(counts.uncertain == (copied ? 0 : 200));
      CHECK(counts.lines == 220 + counts.bad_lines);
    }
  }
}

TEST_CASE("a place that no longer stands is told as it was given, for a copy is known by it") {
  const nissa::test::TempDir dir;
  const std::string path = dir / "app.log";
  std::ofstream(path) << std::string(400, 'a') << "\n"
                      << std::string(400, 'b') << "\n"
                      << std::string(400, 'c') << "\n";
  OpenFile opened(path);
  const FilePoint start = point_in(opened, 0);
  FollowedFile file(std::move(opened), path, start);
  std::string_view line;
  REQUIRE(file.next(line) == FollowedFile::Got::line);
  REQUIRE(file.next(line) == FollowedFile::Got::line);
  const FilePoint second = file.point_before();
  CHECK(second.offset == 401);
  std::ofstream(path) << std::string(250, 'x') << "\n";
  file.rewind(second);
  CHECK(file.point() == second);
  CHECK(file.point_before() == second);
  CHECK(file.next(line) == FollowedFile::Got::truncated);
  CHECK(file.point() == second);
}

TEST_CASE("what was seen but not read when a file was truncated without a copy is counted as missing") {
  auto random = nissa::test::random_for(86);
  World world(random);
  world.options.agent.batch_events = 5;
  world.log.append(1'000);
  world.begin();
  world.life->reachable = false;
  for (int i = 0; i < 10; ++i) world.calm_step();
  world.log.truncate_only();
  world.log.append(20);
  world.life->reachable = true;
  world.to_rest();
  world.judge(1);
  CHECK(world.life->counts().missing == 1);
  CHECK(world.life->counts().uncertain == 0);
  CHECK(world.life->counts().counted < 1'000);
}

TEST_CASE("lines that yield no event are read in portions, for others wait meanwhile") {
  auto random = nissa::test::random_for(87);
  World world(random);
  {
    std::ofstream file(world.log.path(), std::ios::app);
    for (int i = 0; i < 24'000; ++i) file << std::string(999, 'y') << "\n";
  }
  world.begin();
  world.life->reachable = false;
  world.calm_step();
  CHECK(world.life->counts().bad_lines > 4'000);
  CHECK(world.life->counts().bad_lines < 4'300);
  CHECK(world.life->due == world.now);
  for (int i = 0; i < 5; ++i) world.calm_step();
  CHECK(world.life->counts().bad_lines == 24'000);
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
  world.end();
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

}  // namespace
}  // namespace nissa::tools::test
