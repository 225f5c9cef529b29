// A ledger on its strand, over a journal that does what the test says, in a world where time stands.
#pragma once
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "async/coroutine.hpp"
#include "ledger/ledger.hpp"
#include "ledger/ledger_component.hpp"
#include "support/fake_journal.hpp"
#include "support/hand_loop.hpp"
#include "support/keys_node.hpp"

namespace nissa::ledger {

struct World {
  explicit World(Options chosen = {}) : options(chosen) {
    set = sets.intern({{.slo = 0, .criterion = {}}});
    start();
    hands.settle();
    finish();  // the record that says when this start was
  }
  ~World() {
    if (component) stop();
  }

  void start() {
    auto opened = test::open_fake(disk);
    fake.reset(static_cast<test::FakeJournal*>(opened.journal.release()));
    LedgerOptions of_state;
    of_state.state_id = opened.state_id;
    auto recovered = recover(*fake, opened.last_lsn, of_state);
    REQUIRE(recovered.has_value());
    REQUIRE(fake->start().has_value());
    component = std::make_unique<LedgerComponent>(hands.loop, hands.timers, hands.clock, *fake, sets, options,
                                                  opened.state_id, std::move(*recovered), 3);
    component->start();
  }
  void stop() {
    fake->finish_at_once(true);
    if (fake->pending() != nullptr) fake->finish(journal::CommitResult::durable);
    CHECK(hands.get(component->async_stop()));
    component.reset();
  }
  // `out` outlives its answer.
  void say_goodbye(Epoch epoch, std::optional<bool>& out) {
    hands.loop.spawn(
        [](LedgerComponent& ledger, Epoch gone, std::uint64_t state, std::optional<bool>& answer) -> Task<void> {
          answer = co_await ledger.async_goodbye(gone, {state, 0});
        }(*component, epoch, disk.state_id, out));
  }
  void begin_stop(bool& stopped) {
    hands.loop.spawn([](LedgerComponent& ledger, bool& flag) -> Task<void> {
      co_await ledger.async_stop();
      flag = true;
    }(*component, stopped));
  }
  void finish(journal::CommitResult result = journal::CommitResult::durable, bool reached_disk = false) {
    REQUIRE(fake->pending() != nullptr);
    fake->finish(result, reached_disk);
    hands.settle();
  }
  Record pending() const {
    REQUIRE(fake->pending() != nullptr);
    return *decode_record(fake->pending()->record);
  }
  bool busy() const { return fake->pending() != nullptr; }

  void send(Epoch epoch, Sequence sequence, std::size_t twins = 0, std::uint32_t body = 1) {
    Submission submission;
    BatchLine line{.key = {epoch, Priority::high, sequence}, .settled_below = 1, .print = {9, body}, .cell_count = 1};
    line.accepted = 1;
    submission.lines.assign(twins + 1, line);
    submission.cells = {{slo::cell_key(set, 0, bucket_of(component->now_ms())), 1}};
    submission.epoch_seen = {disk.state_id, component->running_ms()};
    submission.sender = sender;
    submission.reply_to = inbox;
    component->submit(std::move(submission));
    hands.settle();
  }
  std::vector<AckStatus> said() {
    std::vector<AckStatus> all;
    for (const Answer& answer : inbox->take()) all.push_back(answer.status);
    return all;
  }
  void quiet(std::int64_t ns) {
    hands.pass(ns);
    hands.settle();
  }

  Options options;
  test::HandLoop hands;
  slo::MatchSets sets;
  slo::MatchSetId set = 0;
  test::FakeDisk disk;
  std::unique_ptr<test::FakeJournal> fake;
  std::unique_ptr<LedgerComponent> component;
  std::shared_ptr<test::Inbox> inbox = std::make_shared<test::Inbox>();
  std::shared_ptr<const Sender> sender = std::make_shared<Sender>(Sender{"agent", "127.0.0.1"});
};

using Told = std::vector<AckStatus>;
inline constexpr std::int64_t ms = ns_per_ms;

inline slo::Definition defined(const std::string& name) {
  slo::Definition definition;
  definition.name = name;
  definition.service = name;
  return definition;
}

}  // namespace nissa::ledger
