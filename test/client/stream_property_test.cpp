// One agent against the model server over a network that delays, duplicates, reorders and loses frames and acks,
// through failures of the journal, crashes of the server, refusals, days of silence and lost states. Whatever happens,
// no batch is counted twice, and each one is held, or counted, or its fate is told; uncertain only where the promise
// ends: a week after the first sending, or a lost state. The windows of HelloAck and retry_after are obeyed throughout.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <set>

#include "client/stream.hpp"
#include "support/model_server.hpp"
#include "support/seed.hpp"

namespace nissa::client::test {
namespace {

using nissa::test::Answered;
using nissa::test::ModelServer;

struct Frame {
  int connection;
  wire::BatchHeader header;
  std::uint64_t tag;
};

struct Totals {
  std::uint64_t duplicates = 0, uncertain = 0, uncertain_but_counted = 0, rekeyed = 0, epochs = 0, resendings = 0,
                goodbyes = 0;
};

class World {
 public:
  World(std::uint64_t seed, Totals& totals)
      : random_(seed),
        totals_(totals),
        stream_(options(static_cast<std::uint32_t>(1 + random_() % 100)), [this] { return random_(); }) {
    chaos_ = 1 + random_() % 10;
    jumps_ = random_() % 2 == 0;
    anew_ = random_() % 4 == 0;
    unheard_ = random_() % 4 == 0;
    hello_.window_batches = static_cast<std::uint32_t>(1 + random_() % 300);
    hello_.window_bytes = static_cast<std::uint32_t>(1 + random_() % 100'000);
  }

  void run() {
    for (int i = 0; i < 1'000; ++i) disturb();
    faults_ = false;
    server_.refuse_with = Reason::none;
    for (int i = 0; i < 2'000 && !stream_.idle(); ++i) {
      server_.commit();
      deliver(0, 100);
      pass(200);
      drive();
    }
    for (; !upward_.empty() || !late_.empty();) deliver(0, 100);
    server_.commit();
    judge();
  }

 private:
  static StreamOptions options(std::uint32_t held) {
    StreamOptions options;
    options.max_held_batches = held;
    return options;
  }
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  void disturb() {
    pass(static_cast<std::int64_t>(random_() % 300));
    for (std::uint64_t n = random_() % 8; n > 0; --n)
      if (stream_.enqueue(Body{{}, 100, 1, tags_ + 1}) == Taken::accepted) ++tags_;
    drive();
    deliver(10, 50);
    if (chance(40)) server_.commit();
    if (chance(chaos_)) cut();
    if (chance(chaos_)) crash_of_server();
    if (chance(chaos_)) server_.fail(chance(50));
    if (chance(chaos_)) server_.slow();
    if (chance(chaos_)) {
      server_.refuse_with = chance(60) ? Reason::none : chance(50) ? Reason::overloaded : Reason::streams_full;
      server_.retry_after_ms = chance(50) ? 0 : static_cast<std::uint32_t>(random_() % 2'000);
    }
    if (chance(3)) stream_.told(server_.now);
    if (chance(2)) server_.forget_old();
    if (jumps_ && chance(1)) {
      pass(static_cast<std::int64_t>(random_() % (10 * 86'400'000LL)));
      if (chance(50)) server_.forget_old();
      if (!unheard_ && chance(50))
        stream_.told(server_.now);
      else if (!unheard_)
        cut();
    }
    if (anew_ && random_() % 250 == 0) {
      if (!unheard_) cut();
      server_.begin_anew();
    }
  }

  void pass(std::int64_t ms) {
    now_ += ms * ns_per_ms;
    server_.now.running_ms += static_cast<RunningMs>(ms);
  }

  void drive() {
    for (;;) {
      const Action action = stream_.next(now_);
      using Kind = Action::Kind;
      if (action.kind == Kind::wait) return settle();
      if (action.kind == Kind::connect) {
        ++connection_;
        if (faults_ && chance(20)) {
          stream_.connection_lost(now_);
          continue;
        }
        wire::HelloAck ack = hello_;
        ack.now = server_.now;
        if (action.epoch) ack.epoch_known = server_.knows(*action.epoch);
        stream_.connected(ack);
      } else if (action.kind == Kind::send_batch) {
        server_.sent(action.header, action.body->tag);
        watch(action);
        upward_.push_back({connection_, action.header, action.body->tag});
      } else if (action.kind == Kind::send_goodbye) {
        ++totals_.goodbyes;
        // After the frames that went before it on this connection.
        while (!upward_.empty()) receive_first();
        server_.goodbye(action.goodbye);
      } else {
        cut();
      }
    }
  }

  // What is unanswered on this connection is within the windows, one batch alone aside; a closed class sends nothing.
  void watch(const Action& action) {
    first_sent_.emplace(action.body->tag, server_.now);
    CHECK_MESSAGE(unanswered_.insert(action.header.key()).second, "sent again before it was answered");
    CHECK(unanswered_.size() <= std::min(hello_.window_batches, 256U));
    CHECK((unanswered_.size() == 1 || unanswered_.size() * action.body->size <= hello_.window_bytes));
    CHECK(now_ >= closed_until_);
  }

  void hear(const wire::Ack& ack) {
    if (ack.key) unanswered_.erase(*ack.key);
    if (ack.status == wire::AckStatus::refused)
      closed_until_ = std::max(closed_until_, now_ + ack.retry_after_ms * ns_per_ms);
    stream_.acked(ack, now_);
    if (faults_ && chance(5)) stream_.acked(ack, now_);
  }

  void receive_first() {
    const Frame frame = upward_.front();
    upward_.pop_front();
    server_.receive(frame.connection, frame.header, frame.tag);
    if (faults_ && chance(5)) late_.push_back(frame);  // a copy that comes again, whenever
  }

  void deliver(unsigned late_percent, unsigned percent) {
    while (!upward_.empty() && chance(percent)) receive_first();
    while (!late_.empty() && (!faults_ || chance(late_percent))) {
      const std::size_t which = random_() % late_.size();
      server_.receive(late_[which].connection, late_[which].header, late_[which].tag);
      late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(which));
    }
    std::shuffle(server_.answers.begin(), server_.answers.end(), random_);
    std::vector<Answered> held_back;
    for (const Answered& answer : server_.answers) {
      if (faults_ && chance(20)) {
        held_back.push_back(answer);
      } else if (answer.connection == connection_) {
        hear(answer.ack);
      }
    }
    server_.answers = held_back;
    settle();
  }

  // Its open group was durable or not; nobody is answered.
  void crash_of_server() {
    const std::size_t before = server_.answers.size();
    server_.fail(chance(50));
    server_.answers.resize(before);
    cut();
  }

  void cut() {
    // What was on its way may yet arrive, when nobody reads the answer.
    for (const Frame& frame : upward_)
      if (chance(50)) late_.push_back(frame);
    upward_.clear();
    unanswered_.clear();
    stream_.connection_lost(now_);
    ++connection_;
  }

  void settle() {
    std::vector<Settlement> settled;
    stream_.take_settlements(settled);
    for (const Settlement& one : settled) {
      CHECK_MESSAGE(fates_.emplace(one.tag, one.fate).second, "settled twice: ", one.tag);
      if (one.fate == Fate::uncertain && !unheard_)
        CHECK_MESSAGE(promise_has_ended(one.tag), "lost within a week: ", one.tag);
    }
    CHECK_MESSAGE(fates_.size() + stream_.held_batches() == tags_, "dropped silently, or told and still held");
    std::vector<Notice> notices;
    stream_.take_notices(now_, notices);
    for (const Notice& one : notices) {
      if (one.kind == Notice::Kind::taken_again)
        told_.clear();
      else if (one.kind == Notice::Kind::refused_for_now)
        CHECK_MESSAGE(told_.insert(one.reason).second, "told twice while it lasts: ", name_of(one.reason));
    }
  }

  bool promise_has_ended(std::uint64_t tag) const {
    constexpr RunningMs week_ms = 7ULL * 86'400'000;
    const EpochSeen& then = first_sent_.at(tag);
    return then.state_id != server_.now.state_id || server_.now.running_ms - then.running_ms >= week_ms;
  }

  void judge() {
    CHECK(stream_.idle());
    CHECK(stream_.held_bytes() == 0);
    CHECK(fates_.size() == tags_);
    for (const std::string& offence : server_.offences) FAIL_CHECK(offence);
    for (const auto& [tag, fate] : fates_) {
      const int times = server_.counted.contains(tag) ? server_.counted.at(tag) : 0;
      CAPTURE(tag);
      CHECK(times <= 1);
      if (fate == Fate::counted || fate == Fate::duplicate) CHECK(times == 1);
      if (fate == Fate::refused || fate == Fate::abandoned) CHECK(times == 0);
      totals_.duplicates += fate == Fate::duplicate;
      totals_.uncertain += fate == Fate::uncertain;
      totals_.uncertain_but_counted += fate == Fate::uncertain && times == 1;
    }
    totals_.rekeyed += stream_.counts().rekeyed;
    totals_.epochs += stream_.counts().epochs_drawn;
    totals_.resendings += stream_.counts().resendings;
  }

  std::mt19937_64 random_;
  Totals& totals_;
  Stream stream_;
  ModelServer server_;
  BootNs now_ = ns_per_s;
  int connection_ = 0;
  std::deque<Frame> upward_, late_;
  std::map<std::uint64_t, Fate> fates_;
  std::map<std::uint64_t, EpochSeen> first_sent_;
  std::set<BatchKey> unanswered_;  // on this connection
  std::set<Reason> told_;          // refusals that last
  BootNs closed_until_ = 0;
  wire::HelloAck hello_;
  std::uint64_t tags_ = 0;
  unsigned chaos_ = 0;
  bool jumps_ = false, anew_ = false, faults_ = true;
  // A connection lives through days and states without a word of it, as none does: heartbeats are answered, or it is
  // found dead within a minute. Nothing may be counted twice then, but batches are keyed into stale epochs.
  bool unheard_ = false;
};

TEST_CASE("under every fault no batch is counted twice, and each is counted or its fate is told") {
  Totals totals;
  auto seeds = nissa::test::random_for(20);
  // The test would prove nothing if one of these never happened; some are rare.
  const auto all_happened = [&totals] {
    return totals.duplicates > 0 && totals.uncertain > 0 && totals.uncertain_but_counted > 0 && totals.rekeyed > 0 &&
           totals.resendings > 0 && totals.goodbyes > 0;
  };
  for (int round = 0; round < 150 || (round < 3000 && !all_happened()); ++round) {
    const std::uint64_t seed = seeds();
    CAPTURE(seed);
    World(seed, totals).run();
  }
  CHECK(all_happened());
  MESSAGE("duplicates ", totals.duplicates, ", uncertain ", totals.uncertain, " (counted ",
          totals.uncertain_but_counted, "), rekeyed ", totals.rekeyed, ", epochs ", totals.epochs, ", resendings ",
          totals.resendings, ", goodbyes ", totals.goodbyes);
}

}  // namespace
}  // namespace nissa::client::test
