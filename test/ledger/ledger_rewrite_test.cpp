// The state into a new file, as the ledger's component does it.
#include "ledger_world.hpp"
#include "support/captured_log.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using journal::CommitResult;

// Ends the pieces under way as durable, until a commit is under way or nothing is.
int finish_pieces(World& world) {
  int pieces = 0;
  for (; world.fake->pending_piece() != nullptr; ++pieces) world.finish();
  return pieces;
}

// Sent now, with the next commit.
bool is_counted(World& world, Sequence sequence) {
  world.send(8, sequence);
  world.quiet(5 * ms);
  world.finish();
  return world.said() == Told{AckStatus::counted};
}

// Over a clock that never stands still, as no real one does.
struct TickingWorld : World {
  TickingWorld() { hands.clock.tick_at_each_look(); }
};

// Batch 1 of epoch 8 is in the record whose fate is unknown, batch 2 in the open group.
void lose_a_commit(World& world, bool reached_disk) {
  world.quiet(5 * ms);
  world.send(8, 1);
  world.send(8, 2);
  world.finish(CommitResult::unknown, reached_disk);
}

}  // namespace

TEST_CASE("after a commit of unknown fate its batches are refused, and counted when they come again: in a new file") {
  for (const bool reached_disk : {false, true}) {
    TickingWorld world;
    lose_a_commit(world, reached_disk);
    auto answers = world.inbox->take();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].reason == Reason::journal);
    REQUIRE(world.fake->pending_piece() != nullptr);
    CHECK(world.fake->pending_piece()->first);
    CHECK(finish_pieces(world) == 2);
    CHECK(world.fake->trouble().kind == journal::Trouble::Kind::none);
    world.quiet(5 * ms);
    world.finish();  // the open group
    CHECK(world.said() == Told{AckStatus::counted});
    world.send(8, 1);
    world.quiet(5 * ms);
    world.finish();
    CHECK(world.said() == Told{AckStatus::counted});
    const auto hash = world.hands.get(world.component->async_state_hash());
    world.stop();
    world.start();
    world.hands.settle();
    CHECK(world.hands.get(world.component->async_state_hash()) == hash);
    world.send(8, 1);
    world.send(8, 2);
    CHECK(world.said() == Told{AckStatus::duplicate, AckStatus::duplicate});
  }
}

TEST_CASE("no group is committed while the state goes into a new file; who waits is told journal_slow") {
  TickingWorld world;
  lose_a_commit(world, false);
  world.inbox->take();
  world.send(8, 3);
  world.quiet(3 * ns_per_s);
  REQUIRE(world.fake->pending_piece() != nullptr);
  for (const Answer& one : world.inbox->take()) CHECK(one.reason == Reason::journal_slow);
  finish_pieces(world);
  world.quiet(5 * ms);
  CHECK(world.pending().batches.size() == 2);  // slow, and counted all the same
  world.finish();
  world.send(8, 3);
  CHECK(world.said() == Told{AckStatus::duplicate});
}

TEST_CASE("when the new file fails too it is tried again each second, from the first piece, and the ledger lives") {
  TickingWorld world;
  lose_a_commit(world, false);
  for (int attempt = 0; attempt < 4; ++attempt) {
    REQUIRE(world.fake->pending_piece() != nullptr);
    CHECK(world.fake->pending_piece()->first);
    if (attempt % 2 == 1) world.finish();
    // Reached or not: the last piece may have put the new file into force.
    world.finish(attempt == 2 ? CommitResult::full : CommitResult::unknown, true);
    CHECK_FALSE(world.busy());
    world.quiet(999 * ms);
    CHECK_FALSE(world.busy());
    world.quiet(1 * ms);
  }
  world.inbox->take();
  world.send(8, 9);
  finish_pieces(world);
  world.quiet(5 * ms);
  world.finish();
  CHECK(world.component->counters().groups_failed.value() == 1);
  world.inbox->take();
  world.send(8, 9);
  CHECK(world.said() == Told{AckStatus::duplicate});
}

TEST_CASE("what nobody would repeat is proposed again: Goodbyes and definitions outlive a failed commit") {
  TickingWorld world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.finish();
  world.inbox->take();
  world.quiet(5 * ms);
  std::optional<bool> goodbye;
  world.say_goodbye(8, goodbye);
  std::optional<bool> has_ids;
  world.hands.loop.spawn([](LedgerComponent& ledger, std::optional<bool>& out) -> Task<void> {
    out = (co_await ledger.async_define({defined("a")})).has_value();
  }(*world.component, has_ids));
  world.hands.settle();
  world.finish(CommitResult::unknown);
  CHECK_FALSE(goodbye.has_value());
  CHECK_FALSE(has_ids.has_value());
  finish_pieces(world);
  for (int i = 0; i < 2; ++i) {
    world.quiet(5 * ms);
    if (world.busy()) world.finish();
  }
  CHECK(goodbye == true);
  CHECK(has_ids == true);
}

TEST_CASE("short of room every batch is refused by name before the disk is full, and taken when there is room again") {
  test::CapturedLog log;
  TickingWorld world;
  world.quiet(5 * ms);
  world.fake->run_short_of_room(true);
  world.send(8, 1);
  auto answers = world.inbox->take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].reason == Reason::disk_full);
  CHECK(log.text().contains("short of room"));
  world.fake->run_short_of_room(false);
  finish_pieces(world);
  CHECK(is_counted(world, 1));
}

TEST_CASE("what is in hand when room runs short is committed in the reserve, and then the file is made smaller, once") {
  TickingWorld world;
  world.quiet(5 * ms);
  world.send(8, 1);
  world.send(8, 2);
  world.fake->run_short_of_room(true);
  world.finish();
  REQUIRE(world.fake->pending_piece() != nullptr);
  finish_pieces(world);
  world.quiet(5 * ms);
  world.finish();
  CHECK(world.said() == Told(2, AckStatus::counted));
  CHECK(world.disk.records.size() == 2);
  for (int i = 0; i < 3; ++i) {
    world.quiet(10 * ns_per_s);  // ticks alone
    REQUIRE(world.busy());
    CHECK(world.fake->pending_piece() == nullptr);
    world.finish();
  }
}

TEST_CASE("a smaller file that finds no place leaves the one in use as it was") {
  TickingWorld world;
  world.fake->run_short_of_room(true);
  world.send(8, 1);
  REQUIRE(world.fake->pending_piece() != nullptr);
  world.finish();
  world.finish(CommitResult::full);
  CHECK_FALSE(world.busy());
  CHECK(world.fake->trouble().kind == journal::Trouble::Kind::full);
  world.fake->run_short_of_room(false);
  world.inbox->take();
  CHECK(is_counted(world, 1));
}

TEST_CASE("a stop amid the pieces waits for the piece under way alone") {
  TickingWorld world;
  lose_a_commit(world, false);
  bool stopped = false;
  world.begin_stop(stopped);
  world.hands.settle();
  CHECK_FALSE(stopped);
  world.finish();
  CHECK(stopped);
  CHECK_FALSE(world.busy());
  world.component.reset();
}
