// Memory that runs out anywhere between a batch and its answer: in the open group, while it closes, before its record
// is written, in the rows that ride along. What is durable is applied and told without any.
#include "support/failing_allocation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/memory.hpp"
#include "history.hpp"
#include "ledger/commit_group.hpp"
#include "ledger/recovery.hpp"
#include "ledger/snapshot_writer.hpp"
#include "support/fake_journal.hpp"
#include "support/keys_node.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using test::FailingAllocation;

constexpr UnixMs noon = 1'750'000'000'000;
constexpr std::uint64_t state_id = 7;

template <class Work>
std::uint64_t allocations_of(Work&& work) {
  const std::uint64_t before = test::allocations_made();
  work();
  return test::allocations_made() - before;
}

// A ledger with its open group; the rules are those of the component, without its clock.
struct Node {
  explicit Node(const slo::MatchSets& sets)
      : ledger(test::History::options()), group(ledger.epochs(), sets, counters, {}, ledger.now(), 9) {}
  Ledger ledger;
  LedgerCounters counters;
  CommitGroup group;
};

// One life of a ledger whose memory runs out all the time, and beside it one that has enough and is only given what the
// first one took. Their records are the same to the bit, and so are their states.
class Life {
 public:
  explicit Life(std::mt19937_64& random) : random_(random) {
    for (const slo::SloId slo : {0u, 1u, 200u, 255u, 256u, 300u, 1'000u})
      ids_.push_back(sets_.intern({{.slo = slo, .criterion = {}}, {.slo = slo + 5, .criterion = {}}}));
    REQUIRE(journal_.start());
    journal_.finish_at_once(true);
  }

  void step() {
    for (std::uint64_t i = below(4); i > 0; --i) submit();
    if (chance(10)) say_goodbye();
    if (chance(5)) define();
    if (chance(10)) tell_slow();
    if (chance(20)) broken_.writer.request();
    commit();
  }
  // Without faults, until a snapshot is complete.
  void settle() {
    faults_ = false;
    for (int i = 0; i < 3; ++i) commit();
    broken_.writer.request();
    for (const std::uint64_t before = broken_.writer.completed(); broken_.writer.completed() == before;) commit();
  }
  void check() {
    const auto hash = broken_.node.ledger.state_hash();
    CHECK(hash == whole_.node.ledger.state_hash());
    const auto found = recover(journal_, disk_.last_lsn, test::History::options());
    REQUIRE_MESSAGE(found.has_value(), found.error().message);
    CHECK(found->ledger->state_hash() == hash);
    CHECK(found->snapshot != 0);
    CHECK(found->catalog.rows() == broken_.writer.catalog().rows());
    for (const Node* node : {&broken_.node, &whole_.node})
      for (const ClassBooks& books : node->counters.classes) CHECK(books.balanced());
  }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t not_closed() const { return not_closed_; }

 private:
  struct Side {
    explicit Side(const slo::MatchSets& sets) : node(sets) {}
    Node node;
    SnapshotWriter writer{{.every_ms = 1'000'000, .slice_rows = 60, .slice_erasures = 5}, {}, {}};
    std::shared_ptr<test::Inbox> inboxes[3] = {std::make_shared<test::Inbox>(), std::make_shared<test::Inbox>(),
                                               std::make_shared<test::Inbox>()};
  };

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  // Where the memory runs out next.
  std::uint64_t somewhere() { return faults_ ? below(chance(50) ? 8 : 60) : ~0ull >> 1; }
  FailingAllocation::Then then() {
    return chance(50) ? FailingAllocation::Then::succeed : FailingAllocation::Then::fail;
  }

  Epoch any_epoch() {
    if (epochs_.empty() || chance(8)) epochs_.push_back(random_() | 1);
    return epochs_[epochs_.size() - 1 - below(std::min<std::size_t>(epochs_.size(), 12))];
  }

  Submission make() {
    Submission made;
    const Epoch epoch = any_epoch();
    const Priority priority = all_priorities[below(2)];
    Sequence& next = next_[{epoch, priority}];
    if (next == 0) next = 1;
    const bool unkeyed = chance(10);
    for (std::uint64_t i = 1 + below(6); i > 0; --i) {
      BatchLine& line = made.lines.emplace_back();
      line.key = {unkeyed ? 0 : epoch, priority, 0};
      if (!unkeyed) {
        const bool again = next > 1 && chance(25);
        line.key.sequence = again ? next - 1 - below(std::min<Sequence>(next - 1, 20)) : next++;
        if (chance(3)) next += below(40);
        line.settled_below = line.key.sequence - below(std::min<Sequence>(line.key.sequence, chance(10) ? 60 : 8));
      }
      line.print = {100, static_cast<std::uint32_t>(line.key.sequence + (chance(3) ? 1 : 0))};
      line.first_cell = static_cast<std::uint32_t>(made.cells.size());
      line.cell_count = static_cast<std::uint32_t>(below(chance(3) ? 600 : 12));
      for (std::uint32_t cell = 0; cell < line.cell_count; ++cell)
        made.cells.push_back({slo::cell_key(ids_[below(ids_.size())], static_cast<std::uint32_t>(below(5)),
                                            bucket_of(ledger_ms_) - static_cast<Bucket>(below(chance(5) ? 3'000 : 3))),
                              static_cast<std::uint32_t>(1 + below(chance(5) ? ~0u - 1 : 50))});
      line.event_count = line.accepted = line.cell_count;
    }
    // As their agent first knew it: the same for an epoch for ever.
    made.epoch_seen = seen_.try_emplace(epoch, EpochSeen{state_id, broken_.node.ledger.running_ms()}).first->second;
    made.sender = senders_[epoch % 3];
    return made;
  }

  // One is submitted where memory runs out, then what was refused for that again, until all is taken.
  void submit() {
    Submission all = make();
    number(all);
    const auto to = below(3);
    for (std::uint64_t k = 0; !all.lines.empty(); ++k) {
      all.reply_to = broken_.inboxes[to];
      std::vector<Answer> answers;
      {
        const FailingAllocation fail(faults_ ? k : somewhere(), then());
        if (!broken_.node.group.has_room(all)) continue;
        answers = broken_.node.group.submit(all, now_ns_);
      }
      std::vector<BatchLine> again;
      Submission taken = all;
      taken.lines.clear();
      // The lines that were answered come in their order.
      auto answer = answers.begin();
      for (std::uint32_t at = 0; at < all.lines.size(); ++at) {
        const bool answered = answer != answers.end() && answer->token == at;
        const bool out_of_memory = answered && answer->status == AckStatus::refused &&
                                   (answer->reason == Reason::no_room || answer->reason == Reason::journal_slow);
        if (answered) ++answer;
        (out_of_memory ? again : taken.lines).push_back(all.lines[at]);
        refused_ += out_of_memory ? 1 : 0;
      }
      CHECK(answer == answers.end());
      std::erase_if(answers, [](const Answer& one) {
        return one.reason == Reason::no_room || one.reason == Reason::journal_slow;
      });
      taken.reply_to = whole_.inboxes[to];
      REQUIRE(whole_.node.group.has_room(taken));
      const std::vector<Answer> expected = whole_.node.group.submit(taken, now_ns_);
      REQUIRE(answers.size() == expected.size());
      for (std::size_t i = 0; i < answers.size(); ++i) {
        CHECK(answers[i].status == expected[i].status);
        CHECK(answers[i].key == expected[i].key);
      }
      CHECK(broken_.node.group.open_bytes() == whole_.node.group.open_bytes());
      if (chance(20)) return;  // what was refused does not come again, or much later
      all.lines = std::move(again);
      number(all);
    }
  }
  static void number(Submission& submission) {
    for (std::uint32_t at = 0; at < submission.lines.size(); ++at) submission.lines[at].token = at;
  }

  void say_goodbye() {
    const Epoch epoch = any_epoch();
    const EpochSeen seen{state_id, broken_.node.ledger.running_ms()};
    CommitGroup::Goodbye said;
    {
      const FailingAllocation fail(somewhere(), then());
      said = broken_.node.group.goodbye(epoch, seen);
    }
    if (said != CommitGroup::Goodbye::no_room) CHECK(whole_.node.group.goodbye(epoch, seen) == said);
  }

  void define() {
    if (broken_.node.group.definitions_pending()) return;
    std::vector<slo::Definition> configured(1 + below(5));
    for (std::size_t i = 0; i < configured.size(); ++i) {
      configured[i].name = "a name that is longer than what a string keeps in itself " + std::to_string(i);
      configured[i].objective = *slo::Objective::from_parts(99'000'000 + below(3));
    }
    for (Side* side : {&broken_, &whole_}) {
      auto plan = side->node.ledger.definitions().plan(configured);
      side->node.group.propose(std::move(plan->defines), std::move(plan->retired));
    }
  }

  // Who could not be told waits for the fate of the group: the answers may differ, the books balance.
  void tell_slow() {
    now_ns_ += 3 * ns_per_s;
    {
      const FailingAllocation fail(somewhere(), then());
      (void)broken_.node.group.tell_slow(now_ns_);
    }
    (void)whole_.node.group.tell_slow(now_ns_);
    CHECK(broken_.node.group.next_slow_at() == whole_.node.group.next_slow_at());
  }

  void commit() {
    pass_time();
    // Each look puts those that have sent since behind; after some looks there are none, and how often one looks no
    // longer matters.
    for (Side* side : {&broken_, &whole_})
      for (int look = 0; look < 3; ++look)
        (void)side->node.ledger.epochs().to_forget(running_ms_, 256, [](Epoch) { return true; });
    const Lsn lsn = broken_.node.ledger.applied() + 1;
    const auto open_bytes = broken_.node.group.open_bytes();
    const auto hash = chance(10) ? std::optional(broken_.node.ledger.state_hash()) : std::nullopt;
    const Record* record = nullptr;
    Bytes bytes;
    const auto ready = [this, &bytes](const Record& made) {
      return broken_.node.ledger.reserve(made) && had_memory([&] { bytes = encode(made); });
    };
    const CommitGroup::Ready as_function = std::ref(ready);
    for (std::uint64_t k = 0; record == nullptr; ++k) {
      {
        const FailingAllocation fail(faults_ ? k : somewhere(), then());
        record = broken_.node.group.close(lsn, ledger_ms_, running_ms_, as_function);
      }
      if (record == nullptr) {
        ++not_closed_;
        CHECK_FALSE(broken_.node.group.is_in_flight());
        CHECK(broken_.node.group.open_bytes() == open_bytes);
        if (hash && k % 7 == 0) CHECK(broken_.node.ledger.state_hash() == *hash);
      }
    }
    const Record* expected = whole_.node.group.close(lsn, ledger_ms_, running_ms_);
    REQUIRE(expected != nullptr);
    CHECK(record->forgotten == expected->forgotten);
    CHECK(*record == *expected);
    for (bool written = false; !written;) {
      journal::Commit commit{.lsn = lsn, .record = bytes};
      {
        const FailingAllocation fail(faults_ && chance(50) ? below(400) : somewhere(), then());
        broken_.writer.ride(broken_.node.ledger, commit);
      }
      if (faults_ && chance(20)) {  // now and then twins join what is in flight
        CHECK(allocations_of([&] { broken_.writer.settled(false); }) == 0);
        if (chance(50)) submit();
        if (chance(30)) return fail();
        continue;
      }
      journal_.commit(std::move(commit),
                      [](journal::CommitResult result) { REQUIRE(result == journal::CommitResult::durable); });
      CHECK(allocations_of([&] { broken_.writer.settled(true); }) == 0);
      written = true;
    }
    CHECK(allocations_of([&] { broken_.node.ledger.apply(*record); }) == 0);
    whole_.node.ledger.apply(*expected);
    std::vector<Delivery> told;
    CHECK(allocations_of([&] { told = broken_.node.group.durable(); }) == 0);
    compare(told, whole_.node.group.durable());
  }

  void fail() {
    std::vector<Delivery> told;
    CHECK(allocations_of([&] { told = broken_.node.group.failed(); }) == 0);
    compare(told, whole_.node.group.failed());
  }

  static void compare(const std::vector<Delivery>& told, const std::vector<Delivery>& expected) {
    const auto answers_in = [](const std::vector<Delivery>& list) {
      std::size_t answers = 0;
      for (const Delivery& one : list) answers += one.answers.size();
      return answers;
    };
    // Those who could not be told that it is slow are told now.
    CHECK(answers_in(told) >= answers_in(expected));
  }

  void pass_time() {
    UnixMs step = static_cast<UnixMs>(below(300));
    if (chance(10)) step = static_cast<UnixMs>(below(30'000));
    if (chance(3)) step = static_cast<UnixMs>(below(5 * 3'600'000));
    if (chance(1)) step = static_cast<UnixMs>(below(40ull * 24 * 3'600'000));
    const Stamp stamp = broken_.node.ledger.next_stamp(ledger_ms_ + step);
    ledger_ms_ = stamp.ledger_ms;
    running_ms_ = stamp.running_ms + (chance(3) ? below(4ull * 24 * 3'600'000) : 0);
    if (chance(30)) (void)broken_.node.ledger.catch_up(1);
  }

  std::mt19937_64& random_;
  slo::MatchSets sets_;
  std::vector<slo::MatchSetId> ids_;
  std::vector<Epoch> epochs_;
  std::map<std::pair<Epoch, Priority>, Sequence> next_;
  std::map<Epoch, EpochSeen> seen_;
  std::shared_ptr<const Sender> senders_[3] = {
      std::make_shared<Sender>(Sender{"an agent whose name lies on the heap", "2001:db8:85a3::8a2e:370:7334"}),
      std::make_shared<Sender>(Sender{"b", "10.0.0.1"}), std::make_shared<Sender>(Sender{"c", "10.0.0.2"})};
  Side broken_{sets_};
  Side whole_{sets_};
  test::FakeDisk disk_{.state_id = state_id};
  test::FakeJournal journal_{disk_};
  UnixMs ledger_ms_ = noon;
  RunningMs running_ms_ = 0;
  BootNs now_ns_ = 1;
  std::uint64_t refused_ = 0;
  std::uint64_t not_closed_ = 0;
  bool faults_ = true;
};

}  // namespace

TEST_CASE("memory that runs out anywhere in the ledger loses nothing, doubles nothing and leaks nothing") {
  auto random = test::random_for(0x764);
  std::uint64_t refused = 0;
  std::uint64_t not_closed = 0;
  for (int round = 0; round < 30; ++round) {
    const std::int64_t alive = test::allocations_alive();
    {
      Life life(random);
      for (int i = 0; i < 60; ++i) life.step();
      life.settle();
      life.check();
      refused += life.refused();
      not_closed += life.not_closed();
    }
    if (round > 0) CHECK(test::allocations_alive() == alive);  // what is made once for the program is there now
  }
  MESSAGE("batches refused for want of memory: ", refused, ", groups that did not close: ", not_closed);
  CHECK(refused > 1'000);
  CHECK(not_closed > 3'000);
}

TEST_CASE("applying a record for which memory was reserved needs none, whatever is in it") {
  auto random = test::random_for(0x765);
  for (int round = 0; round < 15; ++round) {
    test::History history(random);
    Ledger ledger(test::History::options());
    Ledger whole(test::History::options());
    for (int i = 0; i < 150; ++i) {
      const Record record = history.next(ledger);
      const auto hash = i % 16 == 0 ? std::optional(ledger.state_hash()) : std::nullopt;
      const auto reserve = [&](std::uint64_t k) {
        const bool all_after = random() % 2 == 0;
        const FailingAllocation fail(k, all_after ? FailingAllocation::Then::fail : FailingAllocation::Then::succeed);
        return ledger.reserve(record);
      };
      for (std::uint64_t k = 0; !reserve(k); ++k)
        if (hash && k % 8 == 0) CHECK(ledger.state_hash() == *hash);
      CHECK(allocations_of([&] { ledger.apply(record); }) == 0);
      if (random() % 2 == 0) (void)ledger.catch_up(random() % 3);
      whole.apply(record);
    }
    CHECK(ledger.state_hash() == whole.state_hash());
  }
}

TEST_CASE("a snapshot is whole though memory runs out at any allocation of its first ride") {
  auto random = test::random_for(0x766);
  const LedgerOptions options{.state_id = state_id};
  bool happened = true;
  for (std::uint64_t k = 0; happened; ++k) {
    test::FakeDisk disk{.state_id = state_id};
    test::FakeJournal journal(disk);
    REQUIRE(journal.start());
    journal.finish_at_once(true);
    Ledger ledger(options);
    SnapshotWriter writer({.slice_rows = 100}, {}, {});
    const auto commit = [&](const Record& record, std::uint64_t from) {
      journal::Commit made{.lsn = record.lsn, .record = encode(record)};
      {
        const FailingAllocation fail(from);
        writer.ride(ledger, made);
        happened = fail.happened();
      }
      journal.commit(std::move(made),
                     [](journal::CommitResult result) { REQUIRE(result == journal::CommitResult::durable); });
      writer.settled(true);
      ledger.apply(record);
    };
    Record record{.lsn = 1, .ledger_ms = noon, .running_ms = 1};
    for (Epoch epoch = 1; epoch <= 90; ++epoch) {
      record.new_epochs.push_back({epoch, {state_id, 0}, "a", "b"});
      record.batches.push_back({{epoch, Priority::low, 1}, 1, {1, static_cast<std::uint32_t>(random())}});
    }
    for (slo::SloId slo = 0; slo < 1'000; slo += 100) record.counts.push_back({slo, bucket_of(noon), 1, 2});
    commit(record, ~0ull >> 1);
    writer.request();
    commit({.lsn = 2, .ledger_ms = noon, .running_ms = 2}, k);
    const bool failed = happened;
    for (Lsn lsn = 3; writer.completed() == 0; ++lsn)
      commit({.lsn = lsn, .ledger_ms = noon, .running_ms = lsn}, ~0ull >> 1);
    const auto found = recover(journal, disk.last_lsn, options);
    REQUIRE_MESSAGE(found.has_value(), found.error().message);
    CHECK(found->snapshot == 1);
    CHECK(found->ledger->state_hash() == ledger.state_hash());
    CHECK(found->catalog.rows() == writer.catalog().rows());
    happened = failed;
  }
}
