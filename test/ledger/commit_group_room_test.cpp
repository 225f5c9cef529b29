#include "ledger/commit_group.hpp"

#include <doctest/doctest.h>

#include "support/keys_node.hpp"
#include "told.hpp"

using namespace nissa;
using namespace nissa::ledger;
using test::KeysNode;

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
  CHECK(node.group->open_bytes() < 2000);  // these are answered, and take no room any more
  CHECK(node.group->has_room(next));
  node.commit();
  CHECK(node.balanced());
}

TEST_CASE("while what is new is refused there is always room for that, and twins beyond it are told journal_slow") {
  KeysNode node({.group_bytes = 20'000});
  node.submit({node.line(8, 1)}, node.seen());
  node.close();
  node.group->refuse_new(Reason::disk_full);
  ledger::Submission next;
  next.lines.assign(1000, node.line(8, 2, 1, 2));
  CHECK(node.group->has_room(next));
  for (int i = 0; i < 1000; ++i) node.submit({node.line(8, 1)}, node.seen());
  CHECK(node.group->open_bytes() <= 20'000);
  const All slow = said(node);
  CHECK(slow.size() > 800);
  CHECK(slow == All(slow.size(), refused(Reason::journal_slow)));
  node.submit({node.line(8, 2, 1, 2)}, node.seen());
  CHECK(said(node) == All{refused(Reason::disk_full)});
  node.durable();
  All late = said(node);
  CHECK(late.size() == 1001 - slow.size());
  CHECK(node.balanced());
}

TEST_CASE("Goodbyes of epochs that nobody knows do not outgrow the open group") {
  KeysNode node({.group_bytes = 20'000});
  std::size_t taken = 0;
  for (Epoch epoch = 100; epoch < 2100; ++epoch)
    taken += node.group->goodbye(epoch, node.seen()) == ledger::CommitGroup::Goodbye::pending ? 1 : 0;
  CHECK(taken > 50);
  CHECK(taken < 100);
  CHECK(node.group->open_bytes() <= 20'000);
  node.commit();
  CHECK(node.group->goodbye(3000, node.seen()) == ledger::CommitGroup::Goodbye::pending);
}
