// Two clones of one idle agent (a machine that was copied while running): both go on in the same epoch with the same
// numbers, and must find out, without a batch of theirs counted twice or told counted when it was not.
#include <doctest/doctest.h>

#include <deque>
#include <map>

#include "client/stream.hpp"
#include "support/model_server.hpp"
#include "support/seed.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::ModelServer;

class Agent {
 public:
  Agent(Stream stream, std::mt19937_64& random, int first_connection)
      : stream_(std::move(stream)), random_(random), connection_(first_connection) {}

  Stream stream() const { return stream_; }
  void enqueue(std::uint64_t tag) {
    CHECK(stream_.enqueue(Body{{}, 100, 1, tag}) == Taken::accepted);
    ++sent_;
  }

  void step(ModelServer& server, BootNs now, bool faults) {
    const auto chance = [&](unsigned percent) { return faults && random_() % 100 < percent; };
    for (;;) {
      const Action action = stream_.next(now);
      if (action.kind == Action::Kind::wait) break;
      if (action.kind == Action::Kind::connect) {
        wire::HelloAck ack;
        ack.now = server.now;
        if (action.epoch) ack.epoch_known = server.knows(*action.epoch);
        stream_.connected(ack);
      } else if (action.kind == Action::Kind::send_batch) {
        if (!chance(10)) server.receive(connection_, action.header, action.body->tag);
      } else if (action.kind == Action::Kind::send_goodbye) {
        server.goodbye(action.goodbye);
      } else {
        lose(now);
      }
    }
    if (chance(10)) lose(now);
  }

  void hear(const ModelServer& server, BootNs now) {
    for (const auto& answer : server.answers)
      if (answer.connection == connection_) stream_.acked(answer.ack, now);
    std::vector<Settlement> settled;
    stream_.take_settlements(settled);
    for (const Settlement& one : settled) CHECK(fates.emplace(one.tag, one.fate).second);
  }
  bool done() const { return stream_.idle() && fates.size() == sent_; }
  std::uint64_t clones_seen() const { return stream_.counts().clones_seen; }

  std::map<std::uint64_t, Fate> fates;

 private:
  void lose(BootNs now) {
    stream_.connection_lost(now);
    connection_ += 2;  // one clone's are odd, the other's even
  }
  Stream stream_;
  std::mt19937_64& random_;
  int connection_;
  std::size_t sent_ = 0;
};

TEST_CASE("clones of an idle agent find each other out; nothing is counted twice nor wrongly told counted") {
  auto seeds = nissa::test::random_for(21);
  std::uint64_t clones_seen = 0;
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t seed = seeds();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    ModelServer server;
    StreamOptions options;
    options.answer_timeout_ns = 5 * ns_per_s;
    BootNs now = ns_per_s;
    Agent one(Stream(options, [&random] { return random(); }), random, 1);
    std::uint64_t tag = 0;
    const auto tick = [&](std::initializer_list<Agent*> agents, bool faults) {
      for (Agent* agent : agents) agent->step(server, now, faults);
      server.commit();
      for (Agent* agent : agents) agent->hear(server, now);
      server.answers.clear();
      now += 500 * ns_per_ms;
      server.now.running_ms += 500;
    };
    for (std::uint64_t n = random() % 5; n > 0; --n) one.enqueue(++tag);
    while (!one.done()) tick({&one}, false);
    Agent two(one.stream(), random, 2);
    two.step(server, now, false);
    for (int i = 0; i < 60; ++i) {
      if (random() % 2 == 0) one.enqueue(++tag);
      if (random() % 2 == 0) two.enqueue(++tag);
      tick({&one, &two}, true);
    }
    for (int i = 0; i < 500 && !(one.stream().idle() && two.stream().idle()); ++i) tick({&one, &two}, false);
    CHECK(one.stream().idle());
    CHECK(two.stream().idle());
    for (const Agent* agent : {&one, &two}) {
      for (const auto& [which, fate] : agent->fates) {
        const int times = server.counted[which];
        CHECK(times <= 1);
        if (fate == Fate::counted || fate == Fate::duplicate) CHECK(times == 1);
        if (fate == Fate::refused) CHECK(times == 0);
      }
      clones_seen += agent->clones_seen();
    }
    CHECK(one.fates.size() + two.fates.size() == tag);
  }
  CHECK(clones_seen > 100);
}

}  // namespace
}  // namespace nissa::client::test
