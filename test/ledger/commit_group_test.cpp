#include "ledger/commit_group.hpp"

#include <doctest/doctest.h>

#include "support/keys_node.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using test::day_ms;
using test::hour_ms;
using test::Inbox;
using test::KeysNode;

// What somebody was told, in words.
const std::string counted = "counted";
const std::string duplicate = "duplicate";
const std::string below_low = "duplicate(below_low)";
const std::string conflict = "conflict";
std::string refused(Reason reason) { return "refused(" + std::string(name_of(reason)) + ")"; }

std::string word_of(const Answer& answer) {
  switch (answer.status) {
    case AckStatus::counted:
      return counted;
    case AckStatus::duplicate:
      return answer.reason == Reason::below_low ? below_low : duplicate;
    case AckStatus::conflict:
      return conflict;
    default:
      return refused(answer.reason);
  }
}

struct All : std::vector<std::string> {
  using std::vector<std::string>::vector;
};
std::ostream& operator<<(std::ostream& out, const All& all) {
  for (const std::string& word : all) out << word << ' ';
  return out;
}

All said(Inbox& inbox) {
  All all;
  for (const Answer& answer : inbox.take()) all.push_back(word_of(answer));
  return all;
}
All said(KeysNode& node) { return said(*node.inbox); }

}  // namespace

TEST_CASE("a batch is answered when its group is durable, not before") {
  KeysNode node;
  node.submit(node.line(8, 1));
  CHECK(said(node).empty());
  node.close();
  CHECK(said(node).empty());
  CHECK(node.counters->classes[1].in_flight.value() == 1);
  node.durable();
  const auto answers = node.inbox->take();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == AckStatus::counted);
  CHECK(answers[0].accepted == 1);
  CHECK(answers[0].token == 1);
  CHECK(answers[0].running_ms == node.journal[0].running_ms);
  CHECK(node.journal[0].new_epochs.size() == 1);
  CHECK(node.journal[0].batches.size() == 1);
  CHECK(node.balanced());
}

TEST_CASE("a retried batch is acknowledged as a duplicate and counted once") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.commit();
  node.submit(node.line(8, 1));
  CHECK_FALSE(node.group->anything_open());  // duplicates never reach the journal
  node.commit();
  const auto answers = node.inbox->take();
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].status == AckStatus::duplicate);
  CHECK(answers[1].accepted == 0);
  CHECK(node.counted()[1] == 1);
  CHECK(node.balanced());
}

TEST_CASE("a twin of a pending key waits with the first, in the open group and in the one in flight") {
  KeysNode node;
  const auto other = std::make_shared<Inbox>();
  node.submit(node.line(8, 1));
  node.submit({node.line(8, 1)}, node.seen(), other);
  node.close();
  node.submit({node.line(8, 1)}, node.seen(), other);
  CHECK_FALSE(node.group->anything_open());
  CHECK(said(*other).empty());
  node.durable();
  CHECK(said(node) == All{counted});
  CHECK(said(*other) == All{duplicate, duplicate});
  CHECK(other->deliveries == 1);  // a connection is woken once a group
  CHECK(node.counted()[1] == 1);
  CHECK(node.balanced());
}

TEST_CASE("the events of a batch are in the books once, when it is durable, as the header told and as it was folded") {
  KeysNode node;
  BatchLine line = node.line(8, 1);
  line.event_count = 10;
  line.accepted = 5;
  line.late = 2;
  line.rejected[1] = 3;
  node.submit({line, line}, node.seen());
  node.close();
  const ClassBooks& books = node.counters->classes[1];
  CHECK(books.batch_events.value() == 0);
  node.durable();
  node.submit(line);
  CHECK(books.batch_events.value() == 10);
  CHECK(books.events_accepted.value() + books.events_late.value() + books.events_rejected[1].value() == 10);
  CHECK(node.inbox->all.front().event_count == 10);
}

TEST_CASE("twins within one submission are one batch") {
  KeysNode node;
  node.submit({node.line(8, 1), node.line(8, 1), node.line(8, 2, 1, 2)}, node.seen());
  node.commit();
  CHECK(said(node) == All{counted, duplicate, counted});
  CHECK(node.counted()[1] == 1);
}

TEST_CASE("a pending twin with another body is told CONFLICT once the first is durable") {
  KeysNode node;
  node.submit(node.line(8, 1, 1, 10));
  node.submit(node.line(8, 1, 1, 11));
  CHECK(said(node).empty());
  node.commit();
  CHECK(said(node) == All{counted, conflict});
  node.submit(node.line(8, 1, 1, 11));
  CHECK(said(node) == All{conflict});
  CHECK(node.counted().count(11) == 0);
  CHECK(node.balanced());
}

TEST_CASE("when a commit fails all who wait are refused and every key is absent again") {
  KeysNode node;
  node.submit(node.line(8, 1, 1, 10));
  node.submit(node.line(8, 1, 1, 11));
  node.close();
  node.submit(node.line(8, 1, 1, 10));
  node.failed();
  CHECK(said(node) == All{refused(Reason::journal), refused(Reason::journal), refused(Reason::journal)});
  CHECK(node.epochs.find(8) == nullptr);
  node.submit(node.line(8, 1, 1, 11));  // the other body may be first now
  node.commit();
  CHECK(said(node) == All{counted});
  CHECK(node.counted() == std::map<std::uint32_t, std::uint64_t>{{11, 1}});
  CHECK(node.balanced());
}

TEST_CASE("an epoch that began in a failed group begins again with the batches that came meanwhile") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.close();
  node.submit(node.line(8, 2, 1, 2));
  node.failed();
  node.commit();
  CHECK(node.journal[0].new_epochs.size() == 1);
  CHECK(said(node) == All{refused(Reason::journal), counted});
}

TEST_CASE("a full disk changes nothing: the same record is committed again") {
  KeysNode node;
  node.submit(node.line(8, 1));
  const Record first = node.close();
  node.submit(node.line(8, 1));
  node.submit(node.line(8, 2, 1, 2));
  CHECK(node.group->record_in_flight() == first);
  node.durable();
  node.commit();
  CHECK(said(node) == All{counted, duplicate, counted});
}

TEST_CASE("who waits for two seconds is told journal_slow once, and a retry learns that it was counted") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.close();
  node.now_ns += ns_per_s;
  node.submit(node.line(8, 2, 1, 2));
  CHECK(node.group->next_slow_at() == 3 * ns_per_s);
  node.now_ns += ns_per_s;
  node.slow();
  CHECK(said(node) == All{refused(Reason::journal_slow)});
  node.slow();
  CHECK(said(node).empty());
  node.submit(node.line(8, 1));  // pending still: it waits again
  CHECK(said(node).empty());
  node.now_ns += ns_per_s;
  node.slow();  // the open group's
  CHECK(said(node) == All{refused(Reason::journal_slow)});
  node.durable();
  CHECK(said(node) == All{duplicate});
  CHECK(node.counters->classes[1].counted_unheard.value() == 1);
  node.submit(node.line(8, 1));
  CHECK(said(node) == All{duplicate});
  node.commit();
  CHECK(said(node).empty());
  CHECK(node.counted() == std::map<std::uint32_t, std::uint64_t>{{1, 1}, {2, 1}});
  CHECK(node.balanced());
}

TEST_CASE("at the end of a drain all who wait are told journal_slow, and what comes is refused by name") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.close();
  node.submit(node.line(8, 2, 1, 2));
  node.group->refuse_new(Reason::shutting_down);
  node.submit(node.line(8, 3, 1, 3));
  CHECK(said(node) == All{refused(Reason::shutting_down)});
  node.submit(node.line(8, 2, 1, 2));  // pending: it gets no other refusal than journal and journal_slow
  CHECK(said(node).empty());
  KeysNode::tell(node.group->tell_all_slow());
  CHECK(said(node) == All(3, refused(Reason::journal_slow)));
  CHECK(node.balanced());
}

TEST_CASE("an unknown epoch comes in by its epoch_seen alone") {
  KeysNode node;
  node.commit(20 * day_ms);
  const RunningMs now = node.running_ms;
  const auto first_answer = [&node](Epoch epoch, EpochSeen seen, Sequence below = 1) {
    node.submit({node.line(epoch, below, below, static_cast<std::uint32_t>(epoch))}, seen);
    node.commit(0);
    return said(node);
  };
  CHECK(first_answer(1, {KeysNode::state_id, now}) == All{counted});
  CHECK(first_answer(2, {KeysNode::state_id, now + 1}) == All{refused(Reason::unknown_epoch)});
  CHECK(first_answer(3, {KeysNode::state_id + 1, now}) == All{refused(Reason::unknown_epoch)});
  CHECK(first_answer(4, {KeysNode::state_id, now - 8 * day_ms}) == All{refused(Reason::unknown_epoch)});
  CHECK(first_answer(5, {KeysNode::state_id, now - 8 * day_ms + 1}) == All{counted});
  CHECK(first_answer(6, {KeysNode::state_id, now}, 1'000'000) == All{counted});  // whatever its settled_below
}

TEST_CASE("an epoch with a pending key is as good as known, though its epoch_seen has grown too old meanwhile") {
  KeysNode node;
  node.commit(20 * day_ms);
  const EpochSeen seen{KeysNode::state_id, node.running_ms - 8 * day_ms + 5};
  node.close(100);
  node.submit({node.line(8, 1)}, seen);
  node.durable();  // the state's running time has passed the epoch_seen by 8 days now
  node.submit({node.line(8, 2, 1, 2)}, seen);
  CHECK(said(node).empty());  // unknown_epoch would be taken as leave to key it anew
  node.submit({node.line(9, 1, 1, 3)}, seen);
  CHECK(said(node) == All{refused(Reason::unknown_epoch)});
  node.commit();
  CHECK(said(node) == All{counted, counted});
}

TEST_CASE("an epoch is forgotten with all its streams, 8 days of running time after its last record") {
  KeysNode node;
  const EpochSeen seen = node.seen();
  node.submit({node.line(8, 1), node.line(8, 1, 1, 2, Priority::critical)}, seen);
  node.commit();
  node.commit(7 * day_ms);
  node.submit({node.line(8, 2, 1, 3)}, seen);  // one stream keeps the whole epoch
  node.commit(day_ms / 2);
  node.commit(8 * day_ms - 1);
  CHECK(node.epochs.find(8) != nullptr);
  node.submit({node.line(8, 1, 1, 2, Priority::critical)}, seen);
  CHECK(said(node) == All{counted, counted, counted, duplicate});
  node.commit(1);
  CHECK(node.journal.back().forgotten == std::vector<Epoch>{8});
  CHECK(node.epochs.find(8) == nullptr);
  node.submit({node.line(8, 2, 1, 3), node.line(8, 1, 1, 2, Priority::critical)}, seen);
  CHECK(said(node) == All(2, refused(Reason::unknown_epoch)));
}

TEST_CASE("an epoch with a key in the closing group is not forgotten") {
  KeysNode node;
  const EpochSeen seen = node.seen();
  node.submit({node.line(8, 1)}, seen);
  node.commit();
  node.submit({node.line(8, 2, 1, 2)}, seen);
  node.commit(9 * day_ms);
  CHECK(node.journal.back().forgotten.empty());
  CHECK(said(node) == All{counted, counted});
  node.submit({node.line(8, 2, 1, 2)}, seen);
  CHECK(said(node) == All{duplicate});
}

TEST_CASE("while its forgetting is under way an epoch is refused with retry; if that fails it is known as before") {
  KeysNode node;
  const EpochSeen seen = node.seen();
  node.submit({node.line(8, 1)}, seen);
  node.commit();
  said(node);
  node.close(9 * day_ms);
  CHECK(node.group->record_in_flight().forgotten == std::vector<Epoch>{8});
  node.submit({node.line(8, 1), node.line(8, 2, 1, 2)}, seen);
  CHECK(said(node) == All(2, refused(Reason::epoch_closing)));
  node.failed();
  node.submit({node.line(8, 1), node.line(8, 2, 1, 2)}, seen);
  node.commit(9 * day_ms);
  CHECK(node.journal.back().forgotten.empty());
  CHECK(said(node) == All{duplicate, counted});
}

TEST_CASE("after Goodbye everything for the epoch is answered unknown_epoch, until its epoch_seen alone says so") {
  KeysNode node;
  const EpochSeen seen = node.seen();
  node.submit({node.line(8, 1)}, seen);
  node.commit();
  CHECK(node.group->goodbye(8, seen) == CommitGroup::Goodbye::pending);
  CHECK(node.group->goodbye_pending(8));
  node.submit({node.line(8, 2, 1, 2)}, seen);
  CHECK(said(node) == All{counted, refused(Reason::epoch_closing)});
  node.close();
  node.submit({node.line(8, 2, 1, 2)}, seen);
  CHECK(said(node) == All{refused(Reason::epoch_closing)});
  node.durable();
  CHECK_FALSE(node.group->goodbye_pending(8));
  CHECK(node.group->goodbye(8, seen) == CommitGroup::Goodbye::done);
  for (int day = 0; day < 10; ++day) {
    node.submit({node.line(8, 1), node.line(8, 2, 1, 2)}, seen);
    CHECK(said(node) == All(2, refused(Reason::unknown_epoch)));
    node.commit(day_ms);
  }
  CHECK(node.epochs.tombstones() == 0);
}

TEST_CASE("a Goodbye whose record failed is said again by the ledger itself") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.commit();
  node.group->goodbye(8, node.seen());
  node.close();
  node.failed();
  CHECK(node.group->goodbye_pending(8));
  CHECK(node.group->anything_open());
  node.submit(node.line(8, 2, 1, 2));
  CHECK(said(node) == All{counted, refused(Reason::epoch_closing)});
  node.commit();
  CHECK(node.epochs.find(8) == nullptr);
  node.submit(node.line(8, 2, 1, 2));
  CHECK(said(node) == All{refused(Reason::unknown_epoch)});
}

TEST_CASE("a batch before the Goodbye of its epoch, in the same group, is counted; its twin still waits") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.group->goodbye(8, node.seen());
  node.submit(node.line(8, 1));
  node.commit();
  CHECK(said(node) == All{counted, duplicate});
  node.submit(node.line(8, 1));
  CHECK(said(node) == All{refused(Reason::unknown_epoch)});
}

TEST_CASE("a tombstone bears what the epoch's batches bore, not what its Goodbye says") {
  KeysNode node({}, {.tombstone_bytes = 2 * Tombstones::bytes_each});
  node.commit(day_ms);
  const EpochSeen seen = node.seen();
  node.submit({node.line(8, 1)}, seen);
  node.commit();
  node.group->goodbye(8, {KeysNode::state_id, 3});
  node.commit();
  CHECK(node.journal.back().ended[0].seen == seen);
}

TEST_CASE("a tombstone that finds no room pushes the oldest out, and the floor keeps out what that one kept out") {
  KeysNode node({}, {.tombstone_bytes = 3 * Tombstones::bytes_each});
  std::vector<EpochSeen> seen;
  for (Epoch epoch = 1; epoch <= 6; ++epoch) {
    seen.push_back(node.seen());
    node.submit({node.line(epoch, 1, 1, static_cast<std::uint32_t>(epoch))}, node.seen());
    node.commit(hour_ms);
  }
  for (Epoch epoch = 6; epoch >= 1; --epoch) {
    node.group->goodbye(epoch, node.seen());
    node.commit(hour_ms);
    CHECK(node.epochs.tombstones() <= 3);
  }
  said(node);
  CHECK(node.epochs.floor() == seen[2].running_ms + 1);
  for (Epoch epoch = 1; epoch <= 6; ++epoch)
    node.submit({node.line(epoch, 1, 1, static_cast<std::uint32_t>(epoch))}, seen[epoch - 1]);
  CHECK(said(node) == All(6, refused(Reason::unknown_epoch)));
  // Whoever is unknown and older than the floor shares that fate; the others do not.
  node.submit({node.line(100, 1, 1, 100)}, seen[2]);
  node.submit({node.line(101, 1, 1, 101)}, seen[3]);
  node.commit();
  CHECK(said(node) == All{refused(Reason::unknown_epoch), counted});
}

TEST_CASE("a Goodbye of what would not come in anyway needs no record") {
  KeysNode node;
  node.commit(20 * day_ms);
  CHECK(node.group->goodbye(8, {KeysNode::state_id, day_ms}) == CommitGroup::Goodbye::done);
  CHECK(node.group->goodbye(9, {KeysNode::state_id + 1, node.running_ms}) == CommitGroup::Goodbye::done);
  CHECK_FALSE(node.group->anything_open());
  CHECK(node.group->goodbye(10, node.seen()) == CommitGroup::Goodbye::pending);  // a late copy might still come in
  node.commit();
  node.submit(node.line(10, 1));
  CHECK(said(node) == All{refused(Reason::unknown_epoch)});
}

TEST_CASE("a pending key stays pending when low passes it: its twin is not told below_low") {
  KeysNode node;
  node.submit(node.line(8, 300, 200, 3));
  node.close();
  node.submit(node.line(8, 5, 1, 5));  // an old copy, absent when it came
  node.durable();
  said(node);
  node.submit(node.line(8, 5, 1, 5));
  CHECK(said(node).empty());
  node.commit();
  CHECK(said(node) == All{counted, duplicate});
  node.submit(node.line(8, 5, 1, 5));
  CHECK(said(node) == All{below_low});
  CHECK(node.counted()[5] == 1);
}

TEST_CASE("the window is judged by the header's own settled_below where that is more") {
  KeysNode node;
  node.submit(node.line(8, 1));
  node.commit();
  said(node);
  node.submit(node.line(8, 257, 1, 2));
  CHECK(said(node) == All{refused(Reason::window_full)});
  node.submit(node.line(8, 257, 2, 2));
  node.submit(node.line(8, 5000, 4745, 3));
  node.commit();
  CHECK(said(node) == All{counted, counted});
}

TEST_CASE("when the memory of streams is full new epochs are refused and the known ones go on") {
  KeysNode node({}, {.bytes = 100'000, .principal_percent = 100});
  Epoch epoch = 0;
  All last;
  while (last.empty() || last.back() == counted) {
    node.submit(node.line(++epoch, 1));
    node.commit();
    last = said(node);
    REQUIRE(epoch < 1000);
  }
  CHECK(last == All{refused(Reason::streams_full)});
  CHECK(node.epochs.budget().used() <= 100'000);
  CHECK(epoch > 200);
  // A known one goes on, as long as it does not ask for a wider window; its lowest open number always gets in.
  node.submit(node.line(1, 2, 2, 2));
  node.submit(node.line(1, 200, 3, 3));
  node.submit(node.line(1, 3, 3, 4));
  node.commit();
  CHECK(said(node) == All{refused(Reason::streams_full), counted, counted});
  CHECK(node.balanced());
}

TEST_CASE("one principal gets its share of the streams' memory, the others theirs") {
  KeysNode node({}, {.bytes = 100'000, .principal_percent = 10});
  Epoch epoch = 0;
  All last;
  while (last.empty() || last.back() == counted) {
    node.submit(node.line(++epoch, 1));
    node.close();  // what is pending counts too
    node.submit(node.line(++epoch, 1));
    node.durable();
    node.commit();
    last = said(node);
    REQUIRE(epoch < 1000);
  }
  CHECK(node.epochs.budget().used() <= 10'000);
  CHECK(epoch > 20);
  node.sender = std::make_shared<Sender>(Sender{.agent = "other", .principal = "127.0.0.2"});
  node.submit(node.line(++epoch, 1));
  node.commit();
  CHECK(said(node) == All{counted});
}

TEST_CASE("a burst of a full window in one group reserves the window once") {
  KeysNode node({}, {.bytes = 40'000, .principal_percent = 10});
  std::vector<BatchLine> lines;
  for (Sequence sequence = 1; sequence <= 256; ++sequence)
    lines.push_back(node.line(8, sequence, 1, static_cast<std::uint32_t>(sequence)));
  node.submit(lines, node.seen());
  node.commit();
  CHECK(said(node) == All(256, counted));
}

TEST_CASE("a full open group holds what comes until it closes; who already waits counts too") {
  KeysNode node({.group_bytes = 20'000});
  Submission next;
  next.lines.assign(10, node.line(8, 1));
  next.cells.resize(10);
  CHECK(node.group->has_room(next));
  for (int i = 0; i < 40; ++i) node.submit({node.line(8, 1)}, node.seen());
  std::size_t before = node.group->open_bytes();
  CHECK(before > 2000);
  for (int i = 0; node.group->has_room(next); ++i) {
    node.submit({node.line(8, 2, 1, 2)}, node.seen());
    REQUIRE(i < 1000);
  }
  CHECK(node.group->open_bytes() <= 20'000);
  node.close();
  CHECK(node.group->has_room(next));
  for (int i = 0; node.group->has_room(next); ++i) {  // twins of what is in flight are bounded by the same
    node.submit({node.line(8, 2, 1, 2)}, node.seen());
    REQUIRE(i < 1000);
  }
  node.durable();
  node.commit();
  CHECK(node.balanced());
}

TEST_CASE("definitions go into the next record, and into the one after it if that failed") {
  KeysNode node;
  node.group->propose({Define{.id = 4, .definition = {}}}, {2});
  CHECK(node.group->definitions_pending());
  node.close();
  CHECK(node.group->record_in_flight().defines.size() == 1);
  node.failed();
  CHECK(node.group->definitions_pending());
  node.commit();
  CHECK(node.journal.back().defines.size() == 1);
  CHECK(node.journal.back().retired == std::vector<slo::SloId>{2});
  CHECK_FALSE(node.group->definitions_pending());
  node.commit();
  CHECK(node.journal.back().only_time());
}

TEST_CASE("a group is committed at once after a rest, else at the spacing") {
  CHECK(commit_at(100, 0, 5) == 100);
  CHECK(commit_at(100, 95, 5) == 100);
  CHECK(commit_at(100, 96, 5) == 101);
  CHECK(commit_at(100, 100, 5) == 105);
}
