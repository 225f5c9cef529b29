// What the owner of a stream is told in each case, and that it is told nothing where nothing is lost. Under the hand
// clock, and where the server's memory matters against the model of it. The sentences themselves: explain_test.cpp.
#include <array>

#include "client/explain.hpp"
#include "stream_harness.hpp"
#include "support/model_server.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::ModelServer;
using wire::AckStatus;

constexpr std::int64_t hour_ms = 3'600'000, day_ms = 24 * hour_ms;
constexpr const char* other_state =
    "the server has another state than before: its state directory was replaced or restored, or it was started with "
    "--accept-loss. What the old state counted may be missing in the new one; what was sent and not answered before "
    "may "
    "be told as uncertain";

std::string refused_text(Reason reason) { return text_of({Notice::Kind::refused_for_now, reason}); }

// The fate and the words of the only settlement.
std::pair<Fate, std::string> told(const Harness& agent) {
  REQUIRE(agent.settled.size() == 1);
  return {agent.settled[0].fate, why_lost(agent.settled[0])};
}

TEST_CASE(
    "lost and reordered acks, a connection cut between batches, a restarted server: nothing is told but counted") {
  Harness agent;
  for (std::uint64_t tag = 1; tag <= 4; ++tag) agent.enqueue(tag);
  agent.run();
  agent.counted(agent.sent[3]);
  agent.counted(agent.sent[1]);
  agent.lose_connection();
  agent.run();
  REQUIRE(agent.sent.size() == 6);
  agent.answer(agent.sent[5], AckStatus::duplicate);
  agent.counted(agent.sent[4]);
  CHECK(agent.settled.size() == 4);
  for (const Settlement& one : agent.settled) CHECK(why_lost(one).empty());
  CHECK(agent.said.empty());
}

TEST_CASE(
    "another state is told once, when the connection stands, and what was in doubt is uncertain for that reason") {
  Harness agent;
  agent.enqueue(1);
  agent.run();
  agent.lose_connection();
  agent.server = {78, 5};
  agent.run();
  CHECK(agent.said == std::vector<std::string>{other_state});
  agent.answer(agent.sent[1], AckStatus::refused, Reason::unknown_epoch);
  const auto [fate, why] = told(agent);
  CHECK(fate == Fate::uncertain);
  CHECK(why.starts_with("they were first sent to another state of the server: "));
  agent.enqueue(2);
  agent.lose_connection();
  agent.run();
  CHECK(agent.said.size() == 1);
}

TEST_CASE(
    "another state than that to which resumed batches were sent is told at the first connection; the same is not") {
  for (const bool same : {true, false}) {
    Harness agent;
    REQUIRE(agent.stream.resume({9, {same ? 77U : 76U, 500'000}, 3, Body{{}, 100, 1, 103}}));
    agent.run();
    CHECK(agent.said.size() == (same ? 0 : 1));
    agent.answer(agent.sent[0], AckStatus::refused, Reason::unknown_epoch);
    CHECK(told(agent).second.starts_with(same ? "the server has forgotten their epoch"
                                              : "they were first sent to another state"));
  }
}

TEST_CASE("unknown_epoch to every sending, and CONFLICT: keyed anew, and nothing is told") {
  for (const bool conflict : {false, true}) {
    Harness agent;
    agent.enqueue(1);
    agent.run();
    if (conflict)
      agent.answer(agent.sent[0], AckStatus::conflict);
    else
      agent.answer(agent.sent[0], AckStatus::refused, Reason::unknown_epoch);
    agent.pass(31'000);
    agent.run();
    agent.counted(agent.sent.back());
    CHECK(told(agent) == std::pair<Fate, std::string>(Fate::counted, ""));
    CHECK(agent.said.empty());
  }
}

TEST_CASE("CONFLICT and below_low mean something else to who resumed: refused by name, and settled") {
  for (const bool resumed : {false, true}) {
    Harness agent;
    if (resumed)
      REQUIRE(agent.stream.resume({9, {77, 500'000}, 3, Body{{}, 100, 1, 103}}));
    else
      agent.enqueue(1);
    agent.run();
    agent.answer(agent.sent[0], AckStatus::duplicate, Reason::below_low);
    const auto [fate, why] = told(agent);
    CHECK(fate == (resumed ? Fate::duplicate : Fate::uncertain));
    CHECK(why.starts_with(resumed ? "" : "another process uses the same epoch: "));
  }
  Harness agent;
  REQUIRE(agent.stream.resume({9, {77, 500'000}, 3, Body{{}, 100, 1, 103}}));
  agent.run();
  agent.answer(agent.sent[0], AckStatus::conflict);
  CHECK(told(agent).second == "the server counted other events for these lines before, made with other options");
}

TEST_CASE("a refusal for now is told once for each reason, however often it comes, and then that it is over") {
  for (const Reason reason : {Reason::window_full, Reason::journal, Reason::journal_slow, Reason::disk_full,
                              Reason::shutting_down, Reason::overloaded, Reason::streams_full}) {
    Harness agent;
    agent.enqueue(1);
    agent.run();
    for (int i = 0; i < 50; ++i) {
      agent.answer(agent.sent.back(), AckStatus::refused, reason, 1'000);
      agent.pass(1'000);
      agent.run();
    }
    CHECK(agent.said == std::vector<std::string>{refused_text(reason)});
    agent.answer(agent.sent.back(), AckStatus::refused, Reason::no_room, 1'000);
    agent.pass(1'000);
    agent.run();
    CHECK(agent.said == std::vector<std::string>{refused_text(reason), refused_text(Reason::no_room)});
    // As a journal that failed may have counted it after all.
    agent.answer(agent.sent.back(), reason == Reason::journal ? AckStatus::duplicate : AckStatus::counted);
    CHECK(agent.said.size() == 2);
    CHECK(agent.stream.notice_at() == agent.now + 9'000 * ns_per_ms);
    agent.pass(9'000);
    agent.run();
    REQUIRE(agent.said.size() == 3);
    CHECK(agent.said[2] == "the server takes batches of this class again");
    CHECK_FALSE(agent.stream.notice_at().has_value());
  }
}

TEST_CASE("a server that refuses and counts in turn for an hour is told in one line, and its end in another") {
  Harness agent;
  for (std::uint64_t tag = 1; tag <= 1'800; ++tag) {
    agent.enqueue(tag);
    agent.run();
    agent.answer(agent.sent.back(), AckStatus::refused, Reason::overloaded, 1'000);
    agent.pass(1'000);
    agent.run();
    agent.counted(agent.sent.back());
    agent.pass(1'000);
  }
  CHECK(agent.said == std::vector<std::string>{refused_text(Reason::overloaded)});
  agent.pass(10'000);
  agent.run();
  CHECK(agent.said.size() == 2);
}

// An agent and the model server, which remembers an epoch for 8 days of its running time.
struct Absence {
  Harness agent;
  ModelServer server;

  // Everything in flight arrives; its answers too, if `heard`.
  void deliver(bool heard) {
    for (; delivered < agent.sent.size(); ++delivered)
      server.receive(1, agent.sent[delivered], agent.sent_tags[delivered]);
    server.commit();
    for (const auto& answer : server.answers)
      if (heard) agent.stream.acked(answer.ack, agent.now);
    server.answers.clear();
    agent.hear();
  }
  void pass(std::int64_t ms) {
    agent.pass(ms);
    server.now.running_ms += static_cast<RunningMs>(ms);
  }
  void run() {
    agent.server = server.now;
    agent.run();
  }
  std::size_t delivered = 0;
};

// A batch is first sent when its epoch is almost a day old, as late as may be, and lost on its way with all that it
// could be heard by; `away` later the agent is back.
std::pair<Fate, std::string> back_after(std::int64_t away_ms, bool killed) {
  Absence world;
  Harness& agent = world.agent;
  agent.enqueue(1);
  world.run();
  world.deliver(false);
  agent.lose_connection();
  world.run();
  world.deliver(true);  // DUPLICATE, which does not renew an epoch
  world.pass(day_ms - 32'000);
  agent.stream.told(world.server.now);
  agent.enqueue(2);
  world.run();
  REQUIRE(agent.sent.back().epoch == agent.sent.front().epoch);
  world.delivered = agent.sent.size();  // lost
  agent.settled.clear();
  if (killed) {
    const wire::BatchHeader& kept = agent.sent.back();
    agent.stream = Stream({}, [n = 77ULL]() mutable { return ++n; });
    REQUIRE(agent.stream.resume({kept.epoch, kept.epoch_seen, kept.sequence, Body{{}, 100, 1, 2}}));
  } else {
    agent.stream.connection_lost(agent.now);
  }
  world.pass(away_ms);
  world.server.forget_old();
  world.run();
  world.deliver(true);
  return told(agent);
}

TEST_CASE("a week of absence: counted when back within 7 days of the server's running time, beyond told as uncertain") {
  for (const bool killed : {false, true}) {
    CAPTURE(killed);
    for (const std::int64_t away : {hour_ms, 6 * day_ms + 23 * hour_ms}) {
      CAPTURE(away);
      CHECK(back_after(away, killed) == std::pair<Fate, std::string>(Fate::counted, ""));
    }
    for (const std::int64_t away : {7 * day_ms + hour_ms, 8 * day_ms, 300 * day_ms}) {
      CAPTURE(away);
      const auto [fate, why] = back_after(away, killed);
      CHECK(fate == Fate::uncertain);
      CHECK(why ==
            "the server has forgotten their epoch, as it may once 7 days of its running time have passed since they "
            "were first sent (unknown_epoch)");
    }
  }
}

}  // namespace
}  // namespace nissa::client::test
