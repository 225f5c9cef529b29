#include "ingest/session_flow.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "async/coroutine.hpp"
#include "door_world.hpp"
#include "net/connection.hpp"

namespace nissa::ingest::test {
namespace {

using wire::AckStatus;

std::size_t count_of(const Agent& agent, AckStatus status) {
  std::size_t count = 0;
  for (const wire::Ack& one : agent.acks) count += one.status == status ? 1 : 0;
  return count;
}

TEST_CASE("a batch comes in, is counted when its group is durable, and is acknowledged by its key") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1, 3));
  CHECK(agent->acks.empty());
  world.finish_one();
  REQUIRE(agent->acks.size() == 1);
  const wire::Ack& ack = agent->acks[0];
  CHECK(ack.key == BatchKey{world.epoch, Priority::normal, 1});
  CHECK(ack.status == AckStatus::counted);
  CHECK(ack.accepted == 3);
  REQUIRE(ack.now.has_value());
  CHECK(*ack.now == EpochSeen{world.disk.state_id, world.ledger->running_ms()});
  CHECK(world.total_of_shop() == 3);
}

TEST_CASE("what is sent in one piece without waiting for answers is counted in one group, each batch acknowledged") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  Bytes all;
  for (Sequence sequence = 1; sequence <= 100; ++sequence) append(all, world.batch(sequence, 2));
  world.send(agent, all);
  world.pass_ms(5);
  world.finish_one();
  std::set<Sequence> told;
  for (const wire::Ack& one : agent->acks)
    if (one.status == AckStatus::counted) told.insert(one.key->sequence);
  CHECK(told.size() == 100);
  CHECK(agent->acks.size() == 100);
  CHECK(world.total_of_shop() == 200);
}

TEST_CASE("answers come as they are known, not as batches came: by their keys") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  Bytes all = world.batch(1);
  append(all, batch_frame(world.header(2, 2), body_of(1)));  // says 2 events, has 1
  append(all, world.batch(3));
  world.send(agent, all);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].key->sequence == 2);
  CHECK(agent->acks[0].status == AckStatus::malformed);
  CHECK(agent->acks[0].reason == Reason::event_count_wrong);
  world.finish_one();
  CHECK(agent->acks.size() == 3);
  CHECK(world.total_of_shop() == 2);
}

TEST_CASE("batches of several classes and epochs on one connection are each counted in their own stream") {
  World world;
  const auto agent = world.connect();
  Bytes all;
  for (Sequence sequence = 1; sequence <= 5; ++sequence)
    for (const Priority priority : all_priorities)
      for (const Epoch epoch : {7, 8}) {
        world.epoch = epoch;
        append(all, world.batch(sequence, 1, priority));
      }
  world.send(agent, all);
  world.pass_ms(20);
  CHECK(count_of(*agent, AckStatus::counted) == 40);
  for (const Priority priority : all_priorities) CHECK(world.sum(priority).counted == 10);
}

TEST_CASE("a window full of unanswered batches stops the reading; each answer lets one in") {
  World world{{.ledger = {.commit = {.slow_after_ns = 3'600 * ns_per_s}}, .journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  Bytes all;
  for (Sequence sequence = 1; sequence <= 300; ++sequence) {
    wire::BatchHeader header = world.header(sequence);
    header.settled_below = sequence > 200 ? sequence - 200 : 1;
    append(all, batch_frame(header, body_of(1)));
  }
  world.send(agent, all);
  world.pass_ms(100);
  CHECK(world.received() == world.options.ingest.window_batches);
  CHECK(agent->acks.empty());
  world.pass_ms(120'000);  // that we let it wait is not its being idle
  CHECK_FALSE(agent->ended);
  CHECK(world.received() == 256);
  world.finish_commits();
  CHECK(world.received() == 300);
  CHECK(count_of(*agent, AckStatus::counted) == 300);
}

TEST_CASE("a full open group holds the connections, and lets them go on when it closes") {
  World world{
      {.ledger = {.commit = {.group_bytes = 3'000, .slow_after_ns = 3'600 * ns_per_s}}, .journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  for (Sequence sequence = 1; sequence <= 100; ++sequence) world.send(agent, world.batch(sequence));
  CHECK_FALSE(world.ledger->has_room());
  CHECK(world.received() < 100);
  CHECK(world.ledger->counters().classes[index_of(Priority::normal)].held.value() > 0);
  CHECK(world.sum().in_flight == world.received());  // also what waits for the group to close
  world.finish_commits();
  CHECK(count_of(*agent, AckStatus::counted) == 100);
}

TEST_CASE("a batch sent twice is counted once: the first is told COUNTED, its twins DUPLICATE") {
  World world{{.journal_by_hand = true}};
  const auto first = world.connect();
  const auto other = world.connect();
  world.pass_ms(5);
  world.send(first, world.batch(1, 5));
  world.send(first, world.batch(1, 5));
  world.send(other, world.batch(1, 5));
  CHECK(first->acks.empty());
  CHECK(other->acks.empty());
  world.finish_commits();
  REQUIRE(first->acks.size() == 2);
  CHECK(first->acks[0].status == AckStatus::counted);
  CHECK(first->acks[1].status == AckStatus::duplicate);
  CHECK(first->acks[1].accepted == 0);
  REQUIRE(other->acks.size() == 1);
  CHECK(other->acks[0].status == AckStatus::duplicate);
  world.send(other, world.batch(1, 5));  // long after
  REQUIRE(other->acks.size() == 2);
  CHECK(other->acks[1].status == AckStatus::duplicate);
  CHECK(world.total_of_shop() == 5);
}

TEST_CASE("below what the agent declared settled: DUPLICATE, below_low") {
  World world;
  const auto agent = world.connect();
  wire::BatchHeader late = world.header(9);
  late.settled_below = 9;
  world.send(agent, batch_frame(late, body_of(1)));
  world.pass_ms(10);
  world.send(agent, world.batch(3));
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::duplicate);
  CHECK(agent->acks[1].reason == Reason::below_low);
}

TEST_CASE("another body under the same key is a CONFLICT, pending or counted, and is not counted") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1, 5));
  world.send(agent, world.batch(1, 6));
  world.finish_commits();
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[0].status == AckStatus::counted);
  CHECK(agent->acks[1].status == AckStatus::conflict);
  world.send(agent, world.batch(1, 7));
  REQUIRE(agent->acks.size() == 3);
  CHECK(agent->acks[2].status == AckStatus::conflict);
  CHECK(world.total_of_shop() == 5);
}

TEST_CASE("the header may change with each sending, the body is what is compared") {
  World world;
  const auto agent = world.connect();
  wire::BatchHeader header = world.header(1, 2);
  world.send(agent, batch_frame(header, body_of(2)));
  world.pass_ms(10);
  header.agent = "renamed";
  header.dropped_events = 3;
  header.sent_at_unix_ns = static_cast<std::uint64_t>(world.hand.clock.wall_ns());
  world.send(agent, batch_frame(header, body_of(2)));
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::duplicate);
}

TEST_CASE("a commit that hangs: REFUSED(journal_slow) with retry_after after 2 s; the retry is a DUPLICATE") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1, 4));
  world.pass_ms(1'999);
  CHECK(agent->acks.empty());
  world.pass_ms(1);
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::refused);
  CHECK(agent->acks[0].reason == Reason::journal_slow);
  CHECK_FALSE(agent->acks[0].final);
  CHECK(agent->acks[0].retry_after_ms > 0);
  world.send(agent, world.batch(1, 4));
  world.finish_commits();
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::duplicate);
  CHECK(world.total_of_shop() == 4);
}

TEST_CASE("a commit of unknown fate: REFUSED(journal); what comes after is counted once the state is in a new file") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1));
  world.finish_one(journal::CommitResult::unknown);
  world.send(agent, world.batch(2, 4));
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::refused);
  CHECK(agent->acks[0].reason == Reason::journal);
  CHECK(agent->acks[0].retry_after_ms > 0);
  world.finish_commits();
  world.pass_ms(5);
  world.finish_commits();
  REQUIRE(agent->acks.size() == 2);
  CHECK(agent->acks[1].status == AckStatus::counted);
  CHECK(world.total_of_shop() == 4);
}

TEST_CASE("an unknown epoch is judged by the running time that it bears, whatever its agent's clock says") {
  World world;
  const auto agent = world.connect();
  const auto send = [&](RunningMs seen, UnixNs clock) {
    wire::BatchHeader header = world.header(1);
    header.epoch_seen.running_ms = seen;
    header.sent_at_unix_ns = static_cast<std::uint64_t>(clock);
    world.send(agent, batch_frame(header, body_of(1)));
    world.pass_ms(10);
    return agent->acks.back();
  };
  const UnixNs now = world.hand.clock.wall_ns();
  CHECK(send(3'600'000, now).reason == Reason::unknown_epoch);  // of a time that has not come yet
  CHECK(send(0, now - 3'600 * ns_per_s).status == AckStatus::counted);
}

TEST_CASE("an epoch of another state is refused as unknown, finally") {
  World world;
  const auto agent = world.connect();
  wire::BatchHeader header = world.header(1);
  header.epoch_seen.state_id = 99;
  world.send(agent, batch_frame(header, body_of(1)));
  REQUIRE(agent->acks.size() == 1);
  CHECK(agent->acks[0].status == AckStatus::refused);
  CHECK(agent->acks[0].reason == Reason::unknown_epoch);
  CHECK(agent->acks[0].final);
  CHECK(agent->acks[0].retry_after_ms == 0);
}

TEST_CASE("batches of one read are judged each by its own epoch_seen") {
  World world;
  const auto agent = world.connect();
  wire::BatchHeader foreign = world.header(1);
  foreign.epoch = 70;
  foreign.epoch_seen.state_id = 99;
  for (const bool foreign_first : {true, false}) {
    ++world.epoch;
    ++foreign.epoch;
    Bytes all = foreign_first ? batch_frame(foreign, body_of(1)) : world.batch(1);
    append(all, foreign_first ? world.batch(1) : batch_frame(foreign, body_of(1)));
    agent->acks.clear();
    world.send(agent, all);
    world.pass_ms(10);
    REQUIRE(agent->acks.size() == 2);
    for (const wire::Ack& one : agent->acks)
      CHECK(one.status == (one.key->epoch == foreign.epoch ? AckStatus::refused : AckStatus::counted));
  }
}

TEST_CASE("metrics and alerts are refused by name, whatever stands beside them; nothing of the batch is counted") {
  World world;
  const auto agent = world.connect();
  Sequence sequence = 0;
  for (const unsigned field : {11u, 12u}) {
    Bytes body = body_of(1);
    Bytes named;
    put_text(named, 8, "queue_length");
    put_text(body, field, as_text(named));
    world.send(agent, batch_frame(world.header(++sequence, 2), body));
    REQUIRE(agent->acks.size() == sequence);
    CHECK(agent->acks.back().status == AckStatus::refused);
    CHECK(agent->acks.back().reason == Reason::not_supported);
    CHECK(agent->acks.back().final);
  }
  world.send(agent, world.batch(++sequence));
  world.pass_ms(10);
  CHECK(agent->acks.back().status == AckStatus::counted);
  CHECK(world.total_of_shop() == 1);
}

TEST_CASE("events that cannot be counted are told by reason in the ack of a counted batch") {
  World world;
  const auto agent = world.connect();
  const auto now = static_cast<std::uint64_t>(world.hand.clock.wall_ns());
  constexpr std::uint64_t day_ns = 86'400ULL * ns_per_s;
  AgentEvent nameless;
  nameless.service = "";
  AgentEvent elsewhere;
  elsewhere.service = "nobody wants it";
  const std::vector<AgentEvent> events{{.time_unix_ns = now},
                                       {.time_unix_ns = now - 31 * day_ns},
                                       {.time_unix_ns = now + 60 * ns_per_s},
                                       nameless,
                                       elsewhere};
  world.send(agent, world.batch_of(1, body_of(events)));
  world.pass_ms(10);
  REQUIRE(agent->acks.size() == 1);
  const wire::Ack& ack = agent->acks[0];
  CHECK(ack.status == AckStatus::counted);
  CHECK(ack.accepted == 2);
  CHECK(ack.late == 1);
  CHECK(ack.rejected[static_cast<std::size_t>(EventFault::in_the_future) - 1] == 1);
  CHECK(ack.rejected[static_cast<std::size_t>(EventFault::no_service) - 1] == 1);
  CHECK(ack.unmatched == 1);
  CHECK(world.ledger->counters().unmatched_events.value() == 1);
  CHECK(world.total_of_shop() == 1);
}

// A connection whose agent has said all that it will, and still listens (shutdown of its sending half).
class HalfClosed final : public ByteStream {
 public:
  explicit HalfClosed(Bytes all) : rest(std::move(all)) {}
  Task<std::expected<void, StreamEnd>> wait_readable() override {
    if (rest.empty()) co_return std::unexpected(StreamEnd::finished);
    co_return std::expected<void, StreamEnd>();
  }
  Task<std::expected<std::size_t, StreamEnd>> read_some(std::span<Byte> buffer) override {
    if (rest.empty()) co_return std::unexpected(StreamEnd::finished);
    const std::size_t size = std::min(buffer.size(), rest.size());
    std::copy_n(rest.begin(), size, buffer.begin());
    rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(size));
    co_return size;
  }
  Task<std::expected<void, StreamEnd>> write(ByteView bytes) override {
    append(written, bytes);
    co_return std::expected<void, StreamEnd>();
  }
  void close() override { closed = true; }

  Bytes rest;
  Bytes written;
  bool closed = false;
};

TEST_CASE("an agent that has closed its sending half is still told what became of its batches") {
  World world{{.journal_by_hand = true}};
  world.pass_ms(5);
  Bytes all = world.hello();
  append(all, world.batch(1, 3));
  const auto stream = std::make_shared<HalfClosed>(all);
  const Strand strand(world.hand.loop);
  spawn_on(strand, world.door->serve({stream, {"127.0.0.1", 1, true}, strand}));
  world.hand.settle();
  CHECK_FALSE(stream->closed);
  stream->written.clear();  // HelloAck
  world.finish_one();
  CHECK(stream->closed);
  const auto frame = wire::next_server_frame(stream->written, std::size_t{1} << 20);
  REQUIRE(frame.status == wire::FrameStatus::complete);
  REQUIRE(frame.kind == wire::ServerFrameKind::ack);
  const auto ack = wire::decode_ack(frame.payload);
  REQUIRE(ack.has_value());
  CHECK(ack->status == AckStatus::counted);
}

TEST_CASE("a connection that is lost does not lose the batch: it is counted, and the agent is told so elsewhere") {
  World world{{.journal_by_hand = true}};
  const auto first = world.connect();
  world.pass_ms(5);
  world.send(first, world.batch(1, 4));
  first->link->cut();
  world.hand.settle();
  CHECK(first->served);  // it waits for nobody
  world.finish_commits();
  const auto second = world.connect();
  world.send(second, world.batch(1, 4));
  REQUIRE(second->acks.size() == 1);
  CHECK(second->acks[0].status == AckStatus::duplicate);
  CHECK(world.total_of_shop() == 4);
}

TEST_CASE("the latency from the last byte read to the ack is measured, of what was counted") {
  World world{{.journal_by_hand = true}};
  const auto agent = world.connect();
  world.pass_ms(5);
  world.send(agent, world.batch(1));
  world.pass_ms(100);
  world.finish_one();
  CHECK(world.books.ack_latency[index_of(Priority::normal)].sum_seconds() == doctest::Approx(0.1));
}

}  // namespace
}  // namespace nissa::ingest::test
