// The agents' door in one hand: the real sessions, gate, fold and ledger over a journal, connections and a clock that
// do what the test says. One SLO counts what the service "shop" does. When it ends, the books must balance.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "async/strand.hpp"
#include "ingest/http_ingest_component.hpp"
#include "ingest/ingest_component.hpp"
#include "ingest/options.hpp"
#include "support/agent_frames.hpp"
#include "support/fake_journal.hpp"
#include "support/hand_loop.hpp"
#include "support/ingest_books.hpp"
#include "support/memory_stream.hpp"

namespace nissa::ingest::test {

using namespace nissa::test;

struct WorldOptions {
  Options ingest;
  fold::Options fold;
  ledger::Options ledger;
  overload::Options overload;
  bool journal_by_hand = false;
};

// One connection as its agent sees it.
class Agent {
 public:
  // What came back, in order.
  std::vector<wire::Ack> acks;
  std::vector<wire::HelloAck> hello_acks;
  std::vector<wire::HeartbeatAck> heartbeat_acks;
  std::vector<wire::ControlReply> replies;
  std::vector<wire::GoAway> go_aways;
  bool ended = false;   // the server closed
  bool served = false;  // its session has ended
  std::shared_ptr<nissa::test::MemoryLink> link;

  // Leaves bytes to be written, as far as the pipe takes them.
  void send(ByteView bytes);
  void read_on();                            // from now on it reads
  bool writing() const { return writing_; }  // the pipe has not taken all yet

  const wire::Ack* ack_of(Sequence sequence) const {
    for (const wire::Ack& one : acks)
      if (one.key && one.key->sequence == sequence) return &one;
    return nullptr;
  }

 private:
  friend class World;
  Agent(EventLoop& loop, std::shared_ptr<ByteStream> stream) : loop_(loop), stream_(std::move(stream)) {}
  static Task<void> write(std::shared_ptr<Agent> self);
  static Task<void> read(std::shared_ptr<Agent> self);
  void take(const wire::FrameStep<wire::ServerFrameKind>& frame);

  EventLoop& loop_;
  std::shared_ptr<ByteStream> stream_;
  std::weak_ptr<Agent> self_;
  Bytes unsent_;
  bool writing_ = false;
};

struct Visit {
  LinkOptions link{.seed = 1, .most_in_flight = std::size_t{64} << 20};
  PeerAddress peer{"127.0.0.1", 1, true};
  bool greets = true;  // Hello goes first
  bool reads = true;
};

class World {
 public:
  explicit World(WorldOptions options = {});
  ~World();

  std::shared_ptr<Agent> connect(Visit visit = {});
  // A keyed header; the rest is the test's to change.
  wire::BatchHeader header(Sequence sequence, std::size_t events = 1, Priority priority = Priority::normal) const;
  Bytes batch(Sequence sequence, std::size_t events = 1, Priority priority = Priority::normal) const {
    return batch_frame(header(sequence, events, priority), body_of(events));
  }
  Bytes batch_of(Sequence sequence, ByteView body, Priority priority = Priority::normal) const {
    return batch_frame(header(sequence, events_in(body), priority), body);
  }
  Bytes hello() const { return frame_of(wire::Hello{}); }
  // Sends, and lets everything happen that needs no time.
  void send(const std::shared_ptr<Agent>& agent, ByteView bytes) {
    agent->send(bytes);
    hand.settle();
  }
  void pass_ms(std::int64_t ms) {
    hand.pass(ms * ns_per_ms);
    hand.settle();
  }
  // Commits as often as there is something to commit.
  void finish_commits();
  void finish_one(journal::CommitResult result = journal::CommitResult::durable);
  // Ends all, as the server does. True: within `grace_ns` and the second for the last acks.
  void begin_stop(std::int64_t grace_ns);
  bool stopped() const { return stopped_; }

  std::uint64_t total_of_shop();
  std::uint64_t accepted() const;
  std::size_t bytes_in_use() const;
  std::uint64_t received(Priority priority = Priority::normal) const {
    return books.keyed[index_of(priority)].received.value();
  }
  nissa::test::ClassSum sum(Priority priority = Priority::normal) const {
    const std::size_t i = index_of(priority);
    return nissa::test::sum_of(books.keyed[i], ledger->counters().classes[i]);
  }
  std::uint64_t closed(Reason reason) const { return books.closed[static_cast<std::size_t>(reason)].value(); }

  WorldOptions options;
  nissa::test::HandLoop hand;
  Books books;
  nissa::test::FakeDisk disk;
  std::unique_ptr<nissa::test::FakeJournal> journal;
  slo::MatchSets sets;
  std::unique_ptr<overload::OverloadComponent> overload;
  std::unique_ptr<fold::BatchFold> fold;
  std::unique_ptr<ledger::LedgerComponent> ledger;
  std::unique_ptr<Lobby> lobby;
  std::unique_ptr<IngestComponent> door;
  std::unique_ptr<HttpIngestComponent> http;
  std::vector<std::shared_ptr<Agent>> agents;
  Epoch epoch = 7;

 private:
  Task<void> serve(std::shared_ptr<Agent> agent, std::shared_ptr<ByteStream> stream, PeerAddress peer, Strand strand);
  void define();
  bool stopping_ = false;
  bool stopped_ = false;
};

}  // namespace nissa::ingest::test
