#include "door_world.hpp"

#include <doctest/doctest.h>

#include "ledger/recovery.hpp"
#include "net/connection.hpp"

namespace nissa::ingest::test {

void Agent::send(ByteView bytes) {
  append(unsent_, bytes);
  if (std::exchange(writing_, true)) return;
  loop_.spawn(write(self_.lock()));
}
void Agent::read_on() { loop_.spawn(read(self_.lock())); }

Task<void> Agent::write(std::shared_ptr<Agent> self) {
  while (!self->unsent_.empty()) {
    const Bytes now = std::exchange(self->unsent_, {});
    if (!co_await self->stream_->write(now)) break;
  }
  self->writing_ = false;
}

Task<void> Agent::read(std::shared_ptr<Agent> self) {
  Bytes unread;
  Bytes buffer(64 * 1024);
  for (;;) {
    const auto got = co_await self->stream_->read_some(buffer);
    if (!got) break;
    append(unread, ByteView(buffer).first(*got));
    std::size_t at = 0;
    for (;;) {
      const auto frame = wire::next_server_frame(ByteView(unread).subspan(at), std::size_t{1} << 20);
      if (frame.status == wire::FrameStatus::need_more) break;
      REQUIRE(frame.status == wire::FrameStatus::complete);
      self->take(frame);
      at += frame.size;
    }
    unread.erase(unread.begin(), unread.begin() + static_cast<std::ptrdiff_t>(at));
  }
  self->ended = true;
}

void Agent::take(const wire::FrameStep<wire::ServerFrameKind>& frame) {
  const auto keep = [](auto message, auto& list) {
    REQUIRE(message.has_value());
    list.push_back(*std::move(message));
  };
  switch (frame.kind) {
    case wire::ServerFrameKind::hello_ack:
      return keep(wire::decode_hello_ack(frame.payload), hello_acks);
    case wire::ServerFrameKind::ack:
      return keep(wire::decode_ack(frame.payload), acks);
    case wire::ServerFrameKind::control_reply:
      return keep(wire::decode_control_reply(frame.payload), replies);
    case wire::ServerFrameKind::heartbeat_ack:
      return keep(wire::decode_heartbeat_ack(frame.payload), heartbeat_acks);
    case wire::ServerFrameKind::go_away:
      return keep(wire::decode_go_away(frame.payload), go_aways);
    case wire::ServerFrameKind::unknown:
      FAIL("a frame of no known kind");
  }
}

World::World(WorldOptions chosen) : options(std::move(chosen)) {
  auto opened = open_fake(disk);
  journal.reset(static_cast<FakeJournal*>(opened.journal.release()));
  ledger::LedgerOptions of_state;
  of_state.state_id = opened.state_id;
  auto recovered = ledger::recover(*journal, opened.last_lsn, of_state);
  REQUIRE(recovered.has_value());
  REQUIRE(journal->start().has_value());
  journal->finish_at_once(true);
  overload = std::make_unique<overload::OverloadComponent>(hand.loop, hand.timers, hand.clock, options.overload,
                                                           [] { return 0.5; });
  fold = std::make_unique<fold::BatchFold>(std::make_shared<slo::Matcher>(std::span<const slo::Rule>{}, sets), sets,
                                           options.fold, fold::LatePolicy{}, fold::HashSeed{1, 2});
  ledger = std::make_unique<ledger::LedgerComponent>(hand.loop, hand.timers, hand.clock, *journal, sets, options.ledger,
                                                     opened.state_id, std::move(*recovered), 3);
  ledger->start();
  define();
  lobby = std::make_unique<Lobby>(
      Door{options.ingest, options.fold, *ledger, *overload, *fold, books, hand.clock, hand.timers});
  door = std::make_unique<IngestComponent>(hand.loop, *lobby);
  door->start();
  http = std::make_unique<HttpIngestComponent>(hand.loop, *lobby);
  journal->finish_at_once(!options.journal_by_hand);
}

void World::define() {
  slo::Definition shop;
  shop.name = "shop";
  shop.service = "shop";
  shop.sli.selector.service = "shop";
  const auto ids = hand.get(ledger->async_define({shop}));
  REQUIRE(ids.has_value());
  REQUIRE(ids->has_value());
  const slo::Rule rule{(**ids)[0], shop.sli};
  fold->set_matcher(std::make_shared<slo::Matcher>(std::span(&rule, 1), sets));
}

World::~World() {
  journal->finish_at_once(true);
  if (journal->pending() != nullptr) journal->finish(journal::CommitResult::durable);
  if (!stopping_) begin_stop(ns_per_s);
  for (int i = 0; i < 100 && !stopped_; ++i) pass_ms(1'000);
  CHECK(stopped_);
  const std::uint64_t total = total_of_shop();
  CHECK(total <= accepted());
  CHECK(total + ledger->counters().unmatched_events.value() == accepted());
  CHECK(hand.get(ledger->async_stop()));
  for (const auto& agent : agents) {
    CHECK(agent->served);
    agent->link->cut();
  }
  hand.settle();
  check_books(books, ledger->counters());
  CHECK(books.open_connections.value() == 0);
  CHECK(bytes_in_use() == 0);
  for (const Priority priority : all_priorities) CHECK(books.keyed[index_of(priority)].in_hand.value() == 0);
}

std::shared_ptr<Agent> World::connect(Visit visit) {
  visit.link.seed += agents.size();
  auto pair = memory_pair(hand.timers, visit.link);
  const std::shared_ptr<Agent> agent(new Agent(hand.loop, pair.near));
  agent->self_ = agent;
  agent->link = pair.link;
  agents.push_back(agent);
  const Strand strand(hand.loop);
  spawn_on(strand, serve(agent, pair.far, visit.peer, strand));
  if (visit.reads) agent->read_on();
  if (visit.greets) agent->send(hello());
  hand.settle();
  return agent;
}

// As the listener does it.
Task<void> World::serve(std::shared_ptr<Agent> agent, std::shared_ptr<ByteStream> stream, PeerAddress peer,
                        Strand strand) {
  co_await door->serve({stream, std::move(peer), strand});
  stream->close();
  agent->served = true;
}

wire::BatchHeader World::header(Sequence sequence, std::size_t events, Priority priority) const {
  wire::BatchHeader made;
  made.keyed = true;
  made.priority = priority;
  made.event_count = static_cast<std::uint32_t>(events);
  made.epoch = epoch;
  made.sequence = sequence;
  made.settled_below = 1;
  made.epoch_seen = {disk.state_id, 0};
  return made;
}

void World::finish_one(journal::CommitResult result) {
  REQUIRE(journal->pending() != nullptr);
  journal->finish(result);
  hand.settle();
}

void World::finish_commits() {
  pass_ms(5);
  while (journal->pending() != nullptr) {
    finish_one();
    pass_ms(5);
  }
}

void World::begin_stop(std::int64_t grace_ns) {
  stopping_ = true;
  hand.loop.spawn([](World& world, std::int64_t grace) -> Task<void> {
    co_await world.door->async_stop(grace);
    co_await world.http->async_stop(grace);
    world.stopped_ = true;
  }(*this, grace_ns));
  hand.settle();
}

std::uint64_t World::total_of_shop() {
  const auto pages = hand.get(ledger->async_pages());
  REQUIRE(pages.has_value());
  return (*pages)->pages.empty() ? 0 : (*pages)->pages[0]->slos[0].lifetime.total;
}

std::uint64_t World::accepted() const {
  std::uint64_t sum = 0;
  for (const auto& one : ledger->counters().classes) sum += one.events_accepted.value();
  for (const auto& one : ledger->counters().unkeyed) sum += one.events_accepted.value();
  return sum;
}

std::size_t World::bytes_in_use() const {
  std::size_t sum = overload->counters().reserve_in_use.value();
  for (const Counter& one : overload->counters().bytes_in_use) sum += one.value();
  return sum;
}

}  // namespace nissa::ingest::test
