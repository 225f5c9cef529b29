#include "ledger/commit_group.hpp"

#include <doctest/doctest.h>

#include "support/keys_node.hpp"
#include "told.hpp"

using namespace nissa;
using namespace nissa::ledger;
using test::Inbox;
using test::KeysNode;

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
  line.unmatched = 4;
  node.submit({line, line}, node.seen());
  node.close();
  const ClassBooks& books = node.counters->classes[1];
  CHECK(books.batch_events.value() == 0);
  node.durable();
  node.submit(line);
  CHECK(books.batch_events.value() == 10);
  CHECK(books.events_accepted.value() + books.events_late.value() + books.events_rejected[1].value() == 10);
  CHECK(node.counters->unmatched_events.value() == 4);
  const auto answers = node.inbox->take();
  CHECK(answers.front().event_count == 10);
  CHECK(answers.front().unmatched == 4);
  CHECK(answers.back().unmatched == 0);  // a duplicate's numbers are not remembered
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

TEST_CASE("a batch without a key is counted each time it comes, and leaves nothing but its counts") {
  KeysNode node;
  node.submit({node.line(0, 0), node.line(0, 0)}, {});
  CHECK(said(node).empty());
  node.submit({node.line(0, 0)}, {});
  node.commit();
  CHECK(said(node) == All{counted, counted, counted});
  CHECK(node.counted()[1] == 3);
  CHECK(node.journal[0].batches.empty());
  CHECK(node.journal[0].new_epochs.empty());
  CHECK(node.counters->unkeyed[1].counted.value() == 3);
  CHECK(node.counters->unkeyed[1].events_accepted.value() == 3);
  CHECK(node.counters->unkeyed[1].balanced());
  CHECK(node.counters->classes[1].received.value() == 0);
}

TEST_CASE("a batch without a key is refused like any other while nothing is taken, and when its commit fails") {
  KeysNode node;
  node.submit({node.line(0, 0)}, {});
  node.close();
  node.group->refuse_new(Reason::disk_full);
  node.submit({node.line(0, 0, 1, 2)}, {});
  node.failed();
  CHECK(said(node) == All{refused(Reason::disk_full), refused(Reason::journal)});
  CHECK(node.counters->unkeyed[1].balanced());
  CHECK(node.counted().empty());
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
