// Agents that keep to the protocol, a network that loses, repeats and delays for days, a node that fails, is slow,
// crashes and forgets: whatever happens, no body is counted twice, what was acknowledged is counted, and once faults
// end everybody gets through. The oracle is the list of durable records: each body counts one event in a bucket of its
// own. Time is turned by hand, so that 8 days of memory pass many times in a run.
#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "support/keys_node.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using test::day_ms;
using test::hour_ms;
using test::KeysNode;

constexpr Sequence most_open = 256;
// No connection lives so long without a word: a later answer to a sending is never heard. (With an intermediary that
// keeps a copy for a week the promise does not hold, and says so.)
constexpr RunningMs connection_ms = day_ms;

// What one agent's batch went through.
struct Batch {
  Sequence sequence = 0;
  std::uint32_t body = 0;
  int sent = 0;           // how often
  int unknown = 0;        // how many of these were answered unknown_epoch
  bool awaiting = false;  // the last sending may still be answered
};

struct Message {
  std::size_t agent = 0;
  std::uint64_t sending = 0;  // 0: a copy made by the network; its answer goes nowhere
  BatchLine line;
  EpochSeen seen;
  RunningMs sent_ms = 0;
};

struct Agent {
  Epoch epoch = 0;
  EpochSeen seen;
  RunningMs fresh_ms = 0;  // epoch_seen, or of the last COUNTED
  std::array<Sequence, priority_count> next{1, 1, 1, 1};
  std::array<std::map<Sequence, Batch>, priority_count> open;
  std::map<std::uint64_t, BatchKey> sendings;  // of this epoch, not yet answered
  bool clone = false;

  bool all_settled() const {
    for (const auto& stream : open)
      if (!stream.empty()) return false;
    return true;
  }
};

class World {
 public:
  explicit World(std::uint64_t seed, bool clones)
      : random_(seed),
        clones_(clones),
        limits_{.tombstone_bytes = (2 + seed % 6) * Tombstones::bytes_each},
        node_({}, limits_),
        loss_(random_() % 40),
        copies_(random_() % 60),
        rest_days_(1 + random_() % 10),
        agents_(1 + random_() % 4) {
    for (Agent& agent : agents_) begin_epoch(agent);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }
  // No faults any more: everybody must get through, and nobody who kept to the protocol is told what it may not be.
  void heal() {
    loss_ = 0;
    for (int round = 0; round < 60; ++round) {
      for (std::size_t a = 0; a < agents_.size(); ++a) {
        lose_connection(agents_[a]);
        send_open(a);
      }
      while (!network_.empty()) deliver(0);
      if (!node_.group->is_in_flight()) node_.close(1000);
      node_.durable();
      take_answers();
    }
    for (const Agent& agent : agents_) CHECK(agent.all_settled());
  }
  void check() const {
    const auto counted = node_.counted();
    for (const auto& [body, times] : counted)
      REQUIRE_MESSAGE(times == 1, "body ", body, " was counted ", times, " times");
    for (const std::uint32_t body : acknowledged_) REQUIRE_MESSAGE(counted.contains(body), "acknowledged: body ", body);
    REQUIRE(node_.balanced());
  }
  std::size_t acknowledged() const { return acknowledged_.size(); }
  std::size_t uncertain() const { return uncertain_; }
  std::size_t forgotten() const {
    std::size_t sum = 0;
    for (const Record& record : node_.journal) sum += record.forgotten.size();
    return sum;
  }

 private:
  bool chance(std::uint64_t percent) { return random_() % 100 < percent; }

  void step() {
    const std::size_t a = random_() % agents_.size();
    switch (random_() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        make_batch(a);
        break;
      case 4:
      case 5:
        if (chance(40)) lose_connection(agents_[a]);  // it has waited long enough
        send_open(a);
        break;
      case 6:
      case 7:
      case 8:
      case 9:
        if (!network_.empty()) deliver(random_() % network_.size());
        break;
      case 10:
        if (!node_.group->is_in_flight()) node_.close(elapsed());
        break;
      case 11:
      case 12:
        end_commit();
        break;
      case 13:
        node_.now_ns += static_cast<BootNs>(random_() % 4) * ns_per_s;
        node_.slow();
        break;
      case 14:
        if (chance(25)) crash();
        break;
      case 15:
        agent_fault(a);
        break;
    }
    take_answers();
  }

  RunningMs elapsed() { return chance(8) ? random_() % (rest_days_ * day_ms) : random_() % (2 * hour_ms); }

  void end_commit() {
    if (!node_.group->is_in_flight()) return;
    const auto fate = random_() % 10;
    if (fate < 7) return node_.durable();
    if (fate == 7) return;  // full: tried again
    node_.failed();         // a new file takes over, with the state as it is in memory
  }

  void crash() {
    // The record in flight may have reached the disk, or not; nobody was answered.
    if (node_.group->is_in_flight() && chance(50)) node_.journal.push_back(node_.group->record_in_flight());
    node_.inbox->take();
    waiting_.clear();
    node_.crash(limits_, random_());
    for (Agent& agent : agents_) lose_connection(agent);
  }

  void agent_fault(std::size_t a) {
    Agent& agent = agents_[a];
    const auto fault = random_() % 8;
    if (fault == 0) {  // it crashes: what it held is gone
      agent = Agent{};
      begin_epoch(agent);
    } else if (fault == 1 && clones_ && agents_.size() < 8) {  // a fork that does not draw a new epoch
      agent.clone = true;
      agents_.push_back(agent);
      lose_connection(agents_.back());
      for (auto& stream : agents_.back().open)  // from here on its bodies are its own
        for (auto& one : stream) one.second = {.sequence = one.first, .body = ++bodies_};
    } else if (fault < 4) {
      lose_connection(agent);
    } else if (agent.all_settled() && !agent.clone) {
      node_.group->goodbye(agent.epoch, agent.seen);
      begin_epoch(agent);
    }
  }

  static void lose_connection(Agent& agent) {
    agent.sendings.clear();  // they stay unanswered
    for (auto& stream : agent.open)
      for (auto& one : stream) one.second.awaiting = false;
  }

  void begin_epoch(Agent& agent) {
    agent.epoch = random_() | 1;
    agent.seen = node_.seen();  // HelloAck tells what is durable
    agent.fresh_ms = agent.seen.running_ms;
    agent.next = {1, 1, 1, 1};
    agent.sendings.clear();
    agent.clone = false;
  }

  void make_batch(std::size_t a) {
    Agent& agent = agents_[a];
    if (node_.running_ms - std::min(node_.running_ms, agent.fresh_ms) >= day_ms) {
      if (!agent.all_settled()) return;  // kept simple: it keys anew when the old epoch is done
      if (!agent.clone) node_.group->goodbye(agent.epoch, agent.seen);
      begin_epoch(agent);
    }
    const std::size_t p = random_() % priority_count;
    auto& stream = agent.open[p];
    if (!stream.empty() && agent.next[p] - stream.begin()->first >= most_open) return;
    const Sequence sequence = agent.next[p]++;
    stream[sequence] = {.sequence = sequence, .body = ++bodies_};
    send(a, all_priorities[p], stream[sequence]);
  }

  void send_open(std::size_t a) {
    for (std::size_t p = 0; p < priority_count; ++p)
      for (auto& one : agents_[a].open[p])
        if (!one.second.awaiting) send(a, all_priorities[p], one.second);
  }

  void send(std::size_t a, Priority priority, Batch& batch) {
    Agent& agent = agents_[a];
    Message message{.agent = a, .sending = ++sendings_, .line = {}, .seen = agent.seen, .sent_ms = node_.running_ms};
    message.line =
        node_.line(agent.epoch, batch.sequence, agent.open[index_of(priority)].begin()->first, batch.body, priority);
    agent.sendings[message.sending] = message.line.key;
    ++batch.sent;
    batch.awaiting = true;
    if (chance(copies_)) {
      Message copy = message;
      copy.sending = 0;
      network_.push_back(copy);
    }
    if (!chance(loss_)) network_.push_back(message);
    if (chance(loss_)) lose_connection(agent);
  }

  void deliver(std::size_t i) {
    Message message = network_[i];
    if (!(message.sending == 0 && chance(60) && loss_ > 0)) {  // some copies come again and again
      network_[i] = network_.back();
      network_.pop_back();
    }
    const auto token = static_cast<std::uint32_t>(++tokens_);
    message.line.token = token;
    waiting_[token] = message;
    node_.submit({message.line}, message.seen);
    take_answers();
  }

  void take_answers() {
    for (const Answer& answer : node_.inbox->take()) {
      const auto found = waiting_.find(answer.token);
      REQUIRE(found != waiting_.end());  // one answer a sending
      const Message message = found->second;
      waiting_.erase(found);
      if (message.sending != 0 && !chance(loss_) && node_.running_ms - message.sent_ms < connection_ms)
        hear(agents_[message.agent], message, answer);
    }
  }

  void hear(Agent& agent, const Message& message, const Answer& answer) {
    const auto sending = agent.sendings.find(message.sending);
    if (sending == agent.sendings.end()) return;  // another connection, another epoch
    agent.sendings.erase(sending);
    auto& stream = agent.open[index_of(answer.key.priority)];
    const auto place = stream.find(answer.key.sequence);
    if (answer.key.epoch != agent.epoch || place == stream.end()) return;
    Batch& batch = place->second;
    batch.awaiting = false;
    if (answer.status == AckStatus::refused && leaves_doubt(answer.reason)) return;
    if (answer.reason == Reason::unknown_epoch) ++batch.unknown;
    if (answer.status == AckStatus::counted ||
        (answer.status == AckStatus::duplicate && answer.reason == Reason::none)) {
      if (answer.status == AckStatus::counted) agent.fresh_ms = answer.running_ms;
      acknowledged_.insert(message.line.print.crc32c);
      stream.erase(place);
    } else if (answer.status == AckStatus::refused) {
      CHECK(answer.reason != Reason::window_full);
      if (answer.reason == Reason::unknown_epoch) unknown(agent);
    } else {  // CONFLICT, below_low: somebody else uses this epoch
      if (!agent.clone) FAIL_CHECK("an agent that keeps to the protocol meets a clone of itself");
      if (answer.status == AckStatus::duplicate) {
        ++uncertain_;
        stream.erase(place);
      } else {
        key_anew(agent, index_of(answer.key.priority), place->first);
      }
    }
  }

  // The whole epoch is unknown: batches whose every sending was answered so are keyed anew, the others are uncertain.
  void unknown(Agent& agent) {
    std::vector<std::uint32_t> again;
    for (auto& stream : agent.open) {
      for (const auto& one : stream) {
        if (one.second.sent == one.second.unknown) {
          again.push_back(one.second.body);
        } else {
          ++uncertain_;
        }
      }
      stream.clear();
    }
    begin_epoch(agent);
    for (const std::uint32_t body : again) {
      const Sequence sequence = agent.next[1]++;
      agent.open[1][sequence] = {.sequence = sequence, .body = body};
    }
  }
  // CONFLICT proves that this body was not counted under this key.
  void key_anew(Agent& agent, std::size_t priority, Sequence sequence) {
    const std::uint32_t body = agent.open[priority][sequence].body;
    agent.open[priority].erase(sequence);
    if (agent.all_settled()) begin_epoch(agent);
    ++uncertain_;  // kept simple: a clone's conflicting batch is dropped unless its epoch is done
    if (agent.next[priority] != 1) return;
    agent.open[priority][1] = {.sequence = 1, .body = body};
    agent.next[priority] = 2;
  }

  std::mt19937_64 random_;
  bool clones_;
  EpochLimits limits_;
  KeysNode node_;
  std::uint64_t loss_;
  std::uint64_t copies_;
  std::uint64_t rest_days_;  // now and then nothing happens for so long
  std::vector<Agent> agents_;
  std::vector<Message> network_;
  std::map<std::uint32_t, Message> waiting_;
  std::set<std::uint32_t> acknowledged_;
  std::size_t uncertain_ = 0;
  std::uint32_t bodies_ = 0;
  std::uint64_t sendings_ = 0;
  std::uint64_t tokens_ = 0;
};

void many(unsigned long long salt, bool clones) {
  auto random = nissa::test::random_for(salt);
  std::size_t acknowledged = 0;
  std::size_t uncertain = 0;
  std::size_t forgotten = 0;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t seed = random();
    CAPTURE(seed);
    World world(seed, clones);
    for (int part = 0; part < 4; ++part) {
      world.run(400);
      world.check();
    }
    world.heal();
    world.check();
    acknowledged += world.acknowledged();
    uncertain += world.uncertain();
    forgotten += world.forgotten();
  }
  CHECK(acknowledged > 10'000);
  CHECK(forgotten > 100);
  MESSAGE("acknowledged ", acknowledged, ", uncertain ", uncertain, ", epochs forgotten ", forgotten);
}

}  // namespace

TEST_CASE("acknowledged is counted once, whatever the network, the disk and the agents do") { many(401, false); }

TEST_CASE("clones of an agent cannot make the ledger count twice, nor be told that the other's batch was theirs") {
  many(402, true);
}
