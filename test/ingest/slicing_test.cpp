// However the network cuts and delays the bytes of a connection, its agent is told the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "door_world.hpp"
#include "support/seed.hpp"

namespace nissa::ingest::test {
namespace {

// What a connection sends: batches, repeated ones, changed ones, malformed ones, frames that are none.
Bytes random_frames(const World& world, std::mt19937_64& random) {
  Bytes all;
  if (random() % 8 == 0) append(all, world.batch(1));  // before Hello
  append(all, world.hello());
  const std::size_t frames = 20 + random() % 60;
  for (std::size_t i = 0; i < frames; ++i) {
    const Sequence sequence = 1 + random() % 40;
    const auto priority = all_priorities[random() % 2];
    const std::size_t events = 1 + random() % (random() % 4 == 0 ? 700 : 20);
    Bytes frame;
    switch (random() % 12) {
      case 0:
        append(frame, unknown_frame());
        break;
      case 1:
        append(frame, frame_of(wire::Heartbeat{i + 1, {}}));
        break;
      case 2:
        append(frame, batch_frame(world.header(sequence, events + 1, priority), body_of(events)));
        break;
      case 3:
        append(frame, world.batch(sequence, 1'001, priority));
        break;
      case 4:
        append(frame, world.batch_of(sequence, body_of_size(70'000), priority));  // above max_frame
        break;
      case 5: {
        // Not in the header: another settled_below takes effect with its group, so it is for time to say what it meets.
        Bytes body = body_of(events);
        body[random() % body.size()] ^= static_cast<Byte>(1u << random() % 8);
        append(frame, batch_frame(world.header(sequence, events, priority), body));
        break;
      }
      default:
        append(frame, world.batch(sequence, events, priority));
    }
    append(all, frame);
  }
  if (random() % 8 == 0) {
    append(all, lost_framing());
    append(all, world.batch(41));
  }
  return all;
}

// All that an agent was told, in an order of its own; times apart.
std::vector<std::string> told(const Agent& agent) {
  std::vector<std::string> all;
  for (const wire::Ack& ack : agent.acks) {
    std::string line = ack.key ? std::to_string(ack.key->epoch) + '/' + std::string(name_of(ack.key->priority)) + '/' +
                                     std::to_string(ack.key->sequence)
                               : "no key";
    line += " status " + std::to_string(static_cast<int>(ack.status)) + ' ' + std::string(name_of(ack.reason)) +
            " at " + std::to_string(ack.byte_offset) + ' ' + ack.field + " accepted " + std::to_string(ack.accepted) +
            " late " + std::to_string(ack.late);
    for (const std::uint32_t one : ack.rejected) line += ' ' + std::to_string(one);
    all.push_back(line);
  }
  for (const wire::HeartbeatAck& one : agent.heartbeat_acks)
    all.push_back("heartbeat " + std::to_string(one.sent_at_unix_ns));
  for (const wire::GoAway& one : agent.go_aways) all.push_back("go away " + std::string(name_of(one.reason)));
  all.push_back(std::to_string(agent.hello_acks.size()) + " hello acks");
  std::ranges::sort(all);
  return all;
}

struct Outcome {
  std::vector<std::string> told;
  std::uint64_t total = 0;
  std::array<std::uint64_t, priority_count> received{};
  std::uint64_t unreadable = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome_of(const LinkOptions& link, std::uint64_t seed) {
  WorldOptions options;
  options.ingest.max_frame_bytes = 64 * 1024;
  World world(options);
  std::mt19937_64 random(seed);
  const auto agent = world.connect({.link = link, .greets = false});
  agent->send(random_frames(world, random));
  world.pass_ms(8'000);
  Outcome outcome{told(*agent), world.total_of_shop(), {}, world.books.unreadable.value()};
  for (const Priority priority : all_priorities) outcome.received[index_of(priority)] = world.received(priority);
  return outcome;
}

TEST_CASE("any cutting of the stream into reads gives the same answers and the same counts") {
  auto random = nissa::test::random_for(31);
  std::uint64_t answers = 0;
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t seed = random();
    CAPTURE(seed);
    const Outcome whole = outcome_of({.seed = 1, .most_in_flight = std::size_t{64} << 20}, seed);
    answers += whole.told.size();
    const std::size_t longest = round % 4 == 0 ? 3 : 1 + random() % 5'000;
    const Outcome sliced =
        outcome_of({.seed = seed, .most_in_flight = 1 + random() % 100'000, .longest_piece = longest}, seed);
    CHECK(sliced.told == whole.told);
    CHECK(sliced == whole);
    const Outcome delayed = outcome_of(
        {.seed = seed, .most_in_flight = 30'000, .longest_piece = longest * 10, .most_delay_ns = 10 * ns_per_ms}, seed);
    CHECK(delayed.told == whole.told);
  }
  CHECK(answers > 40 * 20);
}

}  // namespace
}  // namespace nissa::ingest::test
