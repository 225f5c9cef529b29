#include "ledger/epochs.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "support/keys_node.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::ledger;
using test::day_ms;
using test::hour_ms;
using test::KeysNode;

using Image = std::map<EpochObject, Bytes>;

Image image_of(const Epochs& epochs) {
  Image image;
  for (const EpochObject& object : epochs.objects()) CHECK(epochs.encode(object, image[object]));
  return image;
}

// By what they are, not by their bytes, which may lack something on both sides.
bool same(const Epochs& one, const Epochs& two) {
  if (one.objects() != two.objects() || one.floor() != two.floor()) return false;
  for (const EpochObject& object : one.objects()) {
    if (object.kind == EpochObject::Kind::tombstone) continue;
    const EpochState& a = *one.find(object.epoch);
    const EpochState& b = *two.find(object.epoch);
    if (a.seen != b.seen || a.last_running_ms != b.last_running_ms || a.agent != b.agent) return false;
    if (a.principal != b.principal || a.streams != b.streams) return false;
  }
  return image_of(one) == image_of(two);
}

// Records as a ledger with many small agents would write them: short lives, Goodbyes, rests of days.
class Story {
 public:
  explicit Story(std::mt19937_64& random)
      : random_(random), node_({}, {.tombstone_bytes = 6 * Tombstones::bytes_each}) {}

  KeysNode& node() { return node_; }
  const Record& next() {
    for (std::size_t i = random_() % 4; i > 0; --i) act();
    const RunningMs later = random_() % 10 == 0 ? random_() % (9 * day_ms) : random_() % hour_ms;
    node_.commit(later);
    node_.inbox->take();
    return node_.journal.back();
  }

 private:
  struct Agent {
    EpochSeen seen;
    Sequence next[priority_count] = {1, 1, 1, 1};
  };
  void act() {
    if (agents_.size() < 12 && random_() % 3 == 0) {
      agents_[1 + random_() % 15].seen = node_.seen();  // an epoch may come back long after its Goodbye
      return;
    }
    if (agents_.empty()) return;
    auto one = std::next(agents_.begin(), static_cast<long>(random_() % agents_.size()));
    if (random_() % 8 == 0) {
      node_.group->goodbye(one->first, one->second.seen);
      agents_.erase(one);
      return;
    }
    const auto priority = all_priorities[random_() % priority_count];
    Sequence& next = one->second.next[index_of(priority)];
    const Sequence below = next > 5 ? next - random_() % 5 : 1;
    node_.submit({node_.line(one->first, below + random_() % 30, below, ++body_, priority)}, one->second.seen);
    next += random_() % 10;
  }
  std::mt19937_64& random_;
  KeysNode node_;
  std::map<Epoch, Agent> agents_;
  std::uint32_t body_ = 0;
};

}  // namespace

TEST_CASE("replayed from nothing the epochs are the same, byte for byte") {
  auto random = test::random_for(301);
  for (int round = 0; round < 30; ++round) {
    Story story(random);
    for (int i = 0; i < 200; ++i) story.next();
    Epochs again({}, random());
    for (const Record& record : story.node().journal) again.apply(record);
    CHECK(same(again, story.node().epochs));
    CHECK(again.budget().used() == story.node().epochs.budget().used());
  }
}

TEST_CASE("a fuzzy snapshot and the records from its begin on give the state, wherever it was begun and completed") {
  auto random = test::random_for(302);
  std::size_t compared = 0;
  for (int round = 0; round < 60; ++round) {
    Story story(random);
    Epochs& live = story.node().epochs;
    struct Row {
      Bytes value;
      Lsn lsn;
    };
    std::map<EpochObject, Row> rows;
    Lsn begin = 1;
    std::size_t left = 0;
    struct Snapshot {
      std::map<EpochObject, Row> rows;
      Lsn begin, complete;
      RunningMs running_ms, floor;
    };
    std::optional<Snapshot> kept;
    for (int i = 0; i < 250; ++i) {
      story.next();
      const Lsn lsn = story.node().lsn;
      if (left == 0 && random() % 8 == 0) {
        begin = lsn + 1;
        left = live.changed();
      }
      std::vector<EpochObject> taken;
      for (std::size_t n = left == 0 ? 0 : 1 + random() % 4; n > 0 && left > 0; --n, --left) {
        taken.push_back(*live.take_changed());
      }
      const bool failed = random() % 6 == 0;  // that transaction: queued again
      for (const EpochObject& object : taken) {
        if (failed) {
          live.put_back(object);
          ++left;
          continue;
        }
        Bytes value;
        if (live.encode(object, value)) {
          rows[object] = {value, lsn};
        } else {
          rows.erase(object);
        }
      }
      if (!taken.empty() && left == 0) kept = {rows, begin, lsn, story.node().running_ms, live.floor()};
      if (!kept || random() % 5 != 0) continue;
      Epochs restored({}, random());
      for (const auto& [object, row] : kept->rows) REQUIRE(restored.load(object, row.value, row.lsn));
      restored.load_now(kept->running_ms, kept->floor);
      restored.loaded(kept->complete);
      for (const Record& record : story.node().journal)
        if (record.lsn >= kept->begin) restored.apply(record);
      REQUIRE(same(restored, live));
      ++compared;
    }
  }
  CHECK(compared > 300);
}

TEST_CASE("a record that speaks of an epoch in no row is a violation only after the snapshot was complete") {
  Epochs epochs;
  Record record;
  record.lsn = 5;
  record.batches.push_back({.key = {8, Priority::low, 1}, .settled_below = 1, .print = {1, 1}});
  epochs.loaded(5);
  epochs.apply(record);
  CHECK(epochs.find(8) == nullptr);
  record.lsn = 6;
  test::ExpectViolations expecting;
  epochs.apply(record);
  CHECK(expecting.seen() == 1);
  REQUIRE(epochs.find(8) != nullptr);  // its keys are kept all the same
  CHECK(epochs.find(8)->stream(Priority::low).judge(1, 1, {1, 1}) == Judgement::duplicate);
}

TEST_CASE("an epoch that ended and began again while a snapshot was taken is not touched by its former life") {
  KeysNode node({}, {.tombstone_bytes = 0});  // so that it may come back at once
  node.submit(node.line(8, 500, 400));
  node.commit();
  node.group->goodbye(8, node.seen());
  node.commit();
  node.submit(node.line(8, 2));
  node.commit();
  Epochs restored;
  Bytes row;
  REQUIRE(node.epochs.encode({EpochObject::Kind::epoch, 8}, row));
  REQUIRE(restored.load({EpochObject::Kind::epoch, 8}, row, node.lsn));
  restored.loaded(node.lsn);
  for (const Record& record : node.journal) restored.apply(record);
  CHECK(same(restored, node.epochs));
  CHECK(restored.find(8)->stream(Priority::normal).low() == 1);
}

TEST_CASE("an object is queued once, however often it changes before it is taken") {
  KeysNode node;
  for (Sequence sequence = 1; sequence < 20; ++sequence) {
    node.submit(node.line(8, sequence, 1, static_cast<std::uint32_t>(sequence)));
    node.commit();
  }
  CHECK(node.epochs.changed() == 1);
  int seen = 0;
  node.epochs.for_each_changed([&](const EpochObject& object, Lsn lsn) {
    CHECK(object == EpochObject{EpochObject::Kind::epoch, 8});
    CHECK(lsn == node.lsn);
    ++seen;
  });
  CHECK(seen == 1);
  CHECK(node.epochs.take_changed().has_value());
  CHECK_FALSE(node.epochs.take_changed().has_value());
}

TEST_CASE("many epochs that are due at once are forgotten over several groups, each exactly once") {
  KeysNode node;
  for (Epoch epoch = 1; epoch <= 1000; ++epoch) node.submit(node.line(epoch, 1));
  node.commit();
  node.commit(8 * day_ms);
  CHECK(node.journal.back().forgotten.size() == 256);
  std::set<Epoch> all(node.journal.back().forgotten.begin(), node.journal.back().forgotten.end());
  for (int i = 0; i < 5; ++i) {
    node.commit(1);
    for (const Epoch epoch : node.journal.back().forgotten) CHECK(all.insert(epoch).second);
  }
  CHECK(all.size() == 1000);
  CHECK(node.epochs.size() == 0);
  CHECK(node.epochs.budget().used() == 0);
}

TEST_CASE("a flood of Goodbyes leaves as many tombstones as there is room for, not one for each") {
  KeysNode node({.group_bytes = 1u << 20}, {.tombstone_bytes = 64'000});
  std::size_t most = 0;
  Epoch epoch = 1;
  for (int group = 0; group < 200; ++group) {
    for (int i = 0; i < 300; ++i) node.group->goodbye(epoch++, node.seen());
    node.commit(100);
    most = std::max(most, node.epochs.tombstones());
  }
  CHECK(most < 1500);
  CHECK(most > 100);
}

TEST_CASE("tombstones are taken away in slices, and a dead one is not seen before that") {
  KeysNode node;
  for (Epoch epoch = 1; epoch <= 600; ++epoch) node.group->goodbye(epoch, node.seen());
  node.commit();
  CHECK(node.epochs.tombstones() == 600);
  node.commit(8 * day_ms);
  CHECK(node.epochs.tombstones() == 600 - 256);
  CHECK(node.epochs.objects().empty());
  CHECK_FALSE(node.epochs.ended(600));
  node.commit(1);
  node.commit(1);
  CHECK(node.epochs.tombstones() == 0);
  // Whoever wrote them to a snapshot learns that they are gone.
  std::size_t gone = 0;
  while (const auto object = node.epochs.take_changed()) {
    Bytes bytes;
    CHECK_FALSE(node.epochs.encode(*object, bytes));
    ++gone;
  }
  CHECK(gone >= 600);
}

TEST_CASE(
    "a Goodbye that lies about an epoch that is forgotten or failed meanwhile leaves no tombstone that never dies") {
  for (const bool fails : {false, true}) {
    KeysNode node({}, {.tombstone_bytes = 0});
    const EpochSeen seen = node.seen();
    node.submit({node.line(8, 1)}, seen);
    if (!fails) {
      node.commit();
      node.close(9 * day_ms);  // forgets it
    } else {
      node.close();
    }
    node.group->goodbye(8, {KeysNode::state_id, ~RunningMs{0} - 1});
    if (fails) {
      node.failed();
    } else {
      node.durable();
    }
    node.commit();
    CHECK_FALSE(node.group->goodbye_pending(8));
    CHECK(node.epochs.tombstones() == 0);
    CHECK(node.epochs.floor() <= node.running_ms);  // beyond it no agent would ever be let in again
  }
}

TEST_CASE("damaged rows are refused") {
  auto random = test::random_for(303);
  KeysNode node;
  for (std::uint32_t i = 1; i < 40; ++i) node.submit(node.line(8, i + random() % 20, i, i, all_priorities[i % 4]));
  node.commit();
  Bytes bytes;
  const EpochObject object{EpochObject::Kind::epoch, 8};
  REQUIRE(node.epochs.encode(object, bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(Epochs().load(object, ByteView(bytes).first(size), 1).has_value());
  for (int round = 0; round < 2000; ++round) {
    Bytes damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<Byte>(1u << random() % 8);
    Epochs epochs;
    (void)epochs.load(object, damaged, 1);
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(Epochs().load(object, longer, 1).has_value());
}
