#include "overload/gate.hpp"

#include <doctest/doctest.h>

#include <map>
#include <utility>
#include <vector>

#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::overload;

constexpr Options small{.ingest_bytes = 10'000, .critical_bytes = 2'000, .byte_wait_ns = 1000};

// A gate, and a model of who holds and who waits; checks after each step what must hold at all times.
class Crowd {
 public:
  explicit Crowd(const Options& options) : options_(options), gate_(options) {}

  void arrive(Priority priority, SenderId sender, std::size_t bytes) {
    const auto answer = gate_.ask(priority, sender, bytes);
    if (answer.verdict == Gate::Verdict::admitted) {
      take(answer.holding, priority, sender, bytes);
    } else if (answer.verdict == Gate::Verdict::full) {
      const auto ticket = gate_.join_line(priority, sender, bytes, now_);
      waiting_[ticket] = {priority, sender, bytes, now_};
      let_in();
    } else {
      CHECK(bytes > (priority == Priority::critical ? std::max(options_.share_bytes(priority), options_.critical_bytes)
                                                    : options_.share_bytes(priority)));
    }
    check();
  }
  void give_back(std::size_t which) {
    gate_.give_back(holdings_[which]);
    holdings_.erase(holdings_.begin() + static_cast<long>(which));
    let_in();
    check();
  }
  void cancel(std::size_t which) {
    const auto it = std::next(waiting_.begin(), static_cast<long>(which));
    CHECK(gate_.cancel(it->first));
    CHECK(!gate_.cancel(it->first));
    waiting_.erase(it);
    let_in();
    check();
  }
  void pass(std::int64_t ns) {
    now_ += ns;
    std::vector<Gate::Leaver> out;
    gate_.expire(now_, out);
    for (const auto& one : out) {
      REQUIRE(waiting_.contains(one.ticket));
      CHECK(one.priority != Priority::critical);
      CHECK(now_ - waiting_[one.ticket].since >= options_.byte_wait_ns);
      waiting_.erase(one.ticket);
    }
    for (const auto& [ticket, waiter] : waiting_)
      if (waiter.priority != Priority::critical) CHECK(now_ - waiter.since < options_.byte_wait_ns);
    let_in();
    check();
  }
  std::size_t held() const { return holdings_.size(); }
  std::size_t waiting() const { return waiting_.size(); }
  const Gate& gate() const { return gate_; }
  std::vector<Gate::LetIn> last_let_in;

 private:
  struct Waiter {
    Priority priority;
    SenderId sender;
    std::size_t bytes;
    BootNs since;
  };
  void take(const Holding& holding, Priority priority, SenderId sender, std::size_t bytes) {
    CHECK(holding.priority == priority);
    CHECK(holding.sender == sender);
    CHECK(holding.bytes() == bytes);
    CHECK((holding.reserve == 0 || priority == Priority::critical));
    holdings_.push_back(holding);
  }
  void let_in() {
    last_let_in.clear();
    gate_.let_in(now_, last_let_in);
    for (const auto& one : last_let_in) {
      REQUIRE(waiting_.contains(one.ticket));
      const Waiter waiter = waiting_[one.ticket];
      take(one.holding, waiter.priority, waiter.sender, waiter.bytes);
      waiting_.erase(one.ticket);
    }
  }
  void check() const {
    std::map<SenderId, std::vector<const Holding*>> by_sender;
    PerClass<std::size_t> common{};
    std::size_t reserve = 0;
    for (const Holding& holding : holdings_) {
      common[index_of(holding.priority)] += holding.common;
      reserve += holding.reserve;
      by_sender[holding.sender].push_back(&holding);
    }
    std::size_t level = 0;
    for (const Priority priority : all_priorities) {
      level += common[index_of(priority)];
      CHECK(gate_.common_in_use(priority) == common[index_of(priority)]);
      CHECK(level <= options_.share_bytes(priority));
    }
    CHECK(gate_.reserve_in_use() == reserve);
    CHECK(reserve <= options_.critical_bytes);
    for (const auto& [sender, all] : by_sender) {
      std::size_t of_common = 0, of_reserve = 0, in_common = 0, in_reserve = 0;
      for (const Holding* one : all) {
        of_common += one->common;
        of_reserve += one->reserve;
        in_common += one->common > 0 ? 1 : 0;
        in_reserve += one->reserve > 0 ? 1 : 0;
      }
      CHECK((in_common <= 1 || of_common <= options_.sender_bytes(options_.ingest_bytes)));
      CHECK((in_reserve <= 1 || of_reserve <= options_.sender_bytes(options_.critical_bytes)));
    }
    CHECK(gate_.all_waiting().size() == waiting_.size());
    if (holdings_.empty()) CHECK(waiting_.empty());
  }

  Options options_;
  Gate gate_;
  BootNs now_ = 1;
  std::vector<Holding> holdings_;
  std::map<Gate::Ticket, Waiter> waiting_;
};

}  // namespace

TEST_CASE("shares are never exceeded, all that is given comes back, and then nobody waits, whatever happens") {
  auto random = nissa::test::random_for(801);
  for (int round = 0; round < 40; ++round) {
    Crowd crowd(small);
    const std::size_t largest = 1 + random() % (round % 5 == 0 ? 12'000 : 900);
    for (int step = 0; step < 400; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        crowd.arrive(all_priorities[random() % 4], random() % 6, 1 + random() % largest);
      } else if (what < 8) {
        if (crowd.held() > 0) crowd.give_back(random() % crowd.held());
      } else if (what == 8) {
        if (crowd.waiting() > 0) crowd.cancel(random() % crowd.waiting());
      } else {
        crowd.pass(static_cast<std::int64_t>(random() % 300));
      }
    }
    while (crowd.held() > 0) crowd.give_back(random() % crowd.held());
    CHECK(crowd.waiting() == 0);
    CHECK(crowd.gate().in_use() == 0);
  }
}

TEST_CASE("what lies above a class's share is free for the classes above it") {
  Gate gate(small);
  SenderId sender = 0;
  const auto fill = [&](Priority priority) {
    std::size_t got = 0;
    while (gate.ask(priority, ++sender, 100).verdict == Gate::Verdict::admitted) got += 100;
    return got;
  };
  CHECK(fill(Priority::low) == 5000);
  CHECK(fill(Priority::normal) == 3000);
  CHECK(fill(Priority::high) == 1500);
  CHECK(fill(Priority::critical) == 500 + 2000);
  CHECK(gate.reserve_in_use() == 2000);
}

TEST_CASE("a sender gets a quarter, another sender goes on") {
  Gate gate(small);
  std::size_t got = 0;
  while (gate.ask(Priority::high, 1, 100).verdict == Gate::Verdict::admitted) got += 100;
  CHECK(got == 2500);
  CHECK(gate.ask(Priority::high, 2, 100).verdict == Gate::Verdict::admitted);
}

TEST_CASE("a batch larger than a sender's quarter still gets in, alone") {
  Gate gate(small);
  CHECK(gate.ask(Priority::critical, 1, 9000).verdict == Gate::Verdict::admitted);
  CHECK(gate.ask(Priority::critical, 2, 1800).holding.reserve == 1800);
}

TEST_CASE("a sender with many connections waits as long as one with a single one") {
  Gate gate(small);
  std::vector<Holding> holdings;
  for (SenderId other = 10; other < 15; ++other) holdings.push_back(gate.ask(Priority::low, other, 1000).holding);
  for (int i = 0; i < 100; ++i) gate.join_line(Priority::low, 1, 1000, 0);
  const auto single = gate.join_line(Priority::low, 2, 1000, 5);
  std::vector<Gate::LetIn> out;
  gate.give_back(holdings[0]);
  gate.give_back(holdings[1]);
  gate.let_in(10, out);
  REQUIRE(out.size() == 2);
  CHECK(out[1].ticket == single);
  CHECK(out[1].waited_ns == 5);
}

TEST_CASE("who is held by its own share does not hold others") {
  Gate gate(small);
  gate.ask(Priority::normal, 1, 2400);
  CHECK(gate.ask(Priority::normal, 1, 200).verdict == Gate::Verdict::full);
  gate.join_line(Priority::normal, 1, 200, 0);
  const auto other = gate.join_line(Priority::normal, 2, 200, 0);
  std::vector<Gate::LetIn> out;
  gate.let_in(0, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].ticket == other);
}

TEST_CASE("a large request in line is not starved by small ones behind it") {
  Gate gate(small);
  std::vector<Holding> holdings;
  for (SenderId sender = 1; sender <= 95; ++sender) holdings.push_back(gate.ask(Priority::high, sender, 100).holding);
  const auto large = gate.join_line(Priority::high, 200, 2000, 0);
  for (SenderId sender = 300; sender < 400; ++sender) gate.join_line(Priority::low, sender, 100, 0);
  std::vector<Gate::LetIn> out;
  for (std::size_t i = 0; i < 20 && out.empty(); ++i) {
    gate.give_back(holdings[i]);
    gate.let_in(1, out);
  }
  REQUIRE(!out.empty());
  CHECK(out[0].ticket == large);
}

TEST_CASE("only CRITICAL waits without end") {
  Gate gate(small);
  for (SenderId sender = 1; sender <= 12; ++sender)
    REQUIRE(gate.ask(Priority::critical, sender, 1000).verdict == Gate::Verdict::admitted);
  gate.join_line(Priority::critical, 20, 1000, 0);
  CHECK(!gate.next_deadline());
  const auto low = gate.join_line(Priority::low, 20, 1000, 7);
  CHECK(gate.next_deadline() == 1007);
  std::vector<Gate::Leaver> out;
  gate.expire(1'000'000'000'000, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].ticket == low);
  CHECK(gate.waiting(Priority::critical) == 1);
}

TEST_CASE("CRITICAL connections with half a frame in hand each do not wait for each other for ever") {
  auto random = nissa::test::random_for(802);
  for (int round = 0; round < 60; ++round) {
    Gate gate(small);
    const std::size_t chunk = 1 + random() % 1500;
    struct Connection {
      SenderId sender;
      int frames_left = 3;
      std::size_t rest = 0;  // of the frame under way
      std::vector<Holding> hands;
      bool waits = false;
    };
    std::vector<Connection> connections(40);
    for (auto& one : connections) one.sender = random() % (1 + round % 4);
    std::map<Gate::Ticket, Connection*> waiting;
    const auto let_in = [&] {
      std::vector<Gate::LetIn> in;
      gate.let_in(0, in);
      for (const Gate::LetIn& one : in) {
        Connection& who = *waiting.at(one.ticket);
        waiting.erase(one.ticket);
        who.waits = false;
        who.hands.push_back(one.holding);
      }
    };
    const auto ask = [&](Connection& one, std::size_t bytes, std::size_t held) {
      const auto answer = gate.ask(Priority::critical, one.sender, bytes);
      if (answer.verdict == Gate::Verdict::admitted) return one.hands.push_back(answer.holding);
      one.waits = true;
      waiting[gate.join_line(Priority::critical, one.sender, bytes, 0, held)] = &one;
      let_in();
    };
    for (std::size_t left = connections.size(); left > 0;) {
      std::vector<Connection*> free;
      for (auto& one : connections)
        if (!one.waits && one.frames_left > 0) free.push_back(&one);
      REQUIRE(!free.empty());
      Connection& one = *free[random() % free.size()];
      if (one.hands.empty()) {
        one.rest = random() % 3 == 0 ? 0 : 1 + random() % 400;
        ask(one, chunk, 0);
      } else if (one.rest != 0) {
        ask(one, std::exchange(one.rest, 0), chunk);
      } else {
        for (const Holding& holding : one.hands) gate.give_back(holding);
        one.hands.clear();
        if (--one.frames_left == 0) --left;
        let_in();
      }
      REQUIRE(gate.in_use() <= small.ingest_bytes + small.critical_bytes + 400);
    }
    CHECK(gate.in_use() == 0);
    CHECK(!gate.anyone_waits());
  }
}

TEST_CASE("what is given back twice is a violation, and changes nothing") {
  Gate gate(small);
  const auto holding = gate.ask(Priority::low, 1, 1000).holding;
  gate.give_back(holding);
  nissa::test::ExpectViolations expected;
  gate.give_back(holding);
  CHECK(expected.seen() == 1);
  CHECK(gate.in_use() == 0);
}

TEST_CASE("options that would let a batch wait for ever are refused, by name") {
  CHECK(Options{}.check(5 << 20));
  CHECK(!Options{.critical_bytes = 1 << 20}.check(5 << 20));
  CHECK(!Options{.ingest_bytes = 8 << 20}.check(5 << 20));
  CHECK(!Options{.share_percent = {50, 40, 95, 100}}.check(1));
  CHECK(!Options{.floor_percent = {50, 40, 20, 0}}.check(1));
  CHECK(Options{.sender_percent = 8}.check(5 << 20));
  CHECK(!Options{.sender_percent = 7}.check(5 << 20));
  const auto status = Options{.ingest_bytes = 8 << 20}.check(5 << 20);
  CHECK(status.error().message.find("class low") != std::string::npos);
}
