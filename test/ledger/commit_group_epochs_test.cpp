#include "ledger/commit_group.hpp"

#include <doctest/doctest.h>

#include "support/keys_node.hpp"
#include "told.hpp"

using namespace nissa;
using namespace nissa::ledger;
using test::day_ms;
using test::hour_ms;
using test::KeysNode;

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
