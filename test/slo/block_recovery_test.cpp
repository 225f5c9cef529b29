// A fuzzy snapshot of rows, each taken at another time, plus the records since its beginning, is the live state.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <vector>

#include "slo/block.hpp"
#include "support/seed.hpp"

using namespace nissa::slo;
using nissa::Bytes;

namespace {

struct Record {
  std::uint64_t lsn;
  nissa::UnixMs ledger_ms;
  struct Count {
    std::uint32_t lane;
    nissa::Bucket bucket;
    Counts counts;
  };
  std::vector<Count> counts;
};

void apply(Block& block, const Record& record) {
  block.advance(record.ledger_ms);
  for (const auto& one : record.counts) block.add(one.lane, one.bucket, one.counts, record.lsn);
}

std::int64_t below(std::mt19937_64& random, std::int64_t limit) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(limit));
}

Record next_record(std::mt19937_64& random, std::uint64_t lsn, nissa::UnixMs before_ms) {
  static constexpr std::int64_t steps[] = {100, 9'000, 40'000, 600'000, hour_ms, 5 * hour_ms, 2 * day_ms};
  Record record{lsn, before_ms + below(random, steps[random() % (random() % 4 == 0 ? 7 : 4)]), {}};
  for (auto n = random() % 6; n > 0; --n) {
    const std::int64_t age = below(random, 31 * day_ms) >> (random() % 24);
    const std::uint64_t total = 1 + random() % (random() % 20 == 0 ? 4'000'000'000 : 9);
    record.counts.push_back({static_cast<std::uint32_t>(random() % 256),
                             nissa::bucket_of(record.ledger_ms + 10'000 - age),
                             {random() % (total + 1), total}});
  }
  return record;
}

// What a snapshot writer does, in random slices: it begins at some record, and by and by takes what had changed by
// then.
class Snapshots {
 public:
  void step(std::mt19937_64& random, const Block& block, std::uint64_t lsn) {
    if (!writing_) {
      if (random() % 8 != 0) return;
      writing_ = true;
      begin_ = lsn;
      todo_ = block.objects_changed_after(complete_from_);
    }
    for (auto n = random() % 12; n > 0 && !todo_.empty(); --n) {
      std::swap(todo_[random() % todo_.size()], todo_.back());
      take(block, todo_.back().object, lsn);
      todo_.pop_back();
    }
    if (todo_.empty()) {
      writing_ = false;
      complete_from_ = begin_;
    }
  }
  // Replay begins behind this record.
  std::uint64_t complete_from() const { return complete_from_; }
  void load(Block& block) const {
    for (const auto& [key, row] : rows_) {
      const BlockObject object{static_cast<std::uint8_t>(key >> 16), static_cast<std::uint16_t>(key)};
      const auto loaded = block.load_object(object, row.value, row.lsn);
      REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
    }
  }
  std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    Bytes value;
    std::uint64_t lsn;
  };
  void take(const Block& block, BlockObject object, std::uint64_t lsn) {
    Bytes value;
    if (!block.encode_object(object, value)) return;  // it left meanwhile; an old version may stay
    rows_[static_cast<std::uint32_t>(object.ring) << 16 | object.slot] = {value, lsn};
  }
  std::map<std::uint32_t, Row> rows_;
  std::vector<Block::ObjectVersion> todo_;
  bool writing_ = false;
  std::uint64_t begin_ = 0;
  std::uint64_t complete_from_ = 0;
};

void check_equal(const Block& live, const Block& recovered) {
  Bytes live_state;
  Bytes recovered_state;
  live.append_state(live_state);
  recovered.append_state(recovered_state);
  REQUIRE((live_state == recovered_state));
  for (std::uint32_t lane = 0; lane < block_lanes; ++lane) {
    REQUIRE((live.window_sums(lane) == recovered.window_sums(lane)));
    REQUIRE((live.life(lane) == recovered.life(lane)));
  }
}

std::unique_ptr<Block> replayed(const std::vector<Record>& records, std::uint64_t behind, nissa::UnixMs begin_ms,
                                const Snapshots* snapshots) {
  auto block = std::make_unique<Block>(begin_ms, Block::Mode::replaying);
  if (snapshots != nullptr) snapshots->load(*block);
  for (const Record& record : records) {
    if (record.lsn > behind) apply(*block, record);
  }
  block->go_live(records.empty() ? begin_ms : records.back().ledger_ms);
  return block;
}

}  // namespace

TEST_CASE("live, replayed from nothing, and any fuzzy snapshot plus replay are the same state and the same sums") {
  auto random = nissa::test::random_for(21);
  std::size_t snapshots_used = 0;
  for (int run = 0; run < 25; ++run) {
    const nissa::UnixMs begin_ms = 20'000 * day_ms + below(random, day_ms);
    auto live = std::make_unique<Block>(begin_ms);
    Snapshots snapshots;
    std::vector<Record> records;
    for (std::uint64_t lsn = 1; lsn <= 150; ++lsn) {
      records.push_back(next_record(random, lsn, live->head_ms()));
      apply(*live, records.back());
      snapshots.step(random, *live, lsn);
      if (random() % 30 != 0) continue;
      check_equal(*live, *replayed(records, 0, begin_ms, nullptr));
      auto recovered = replayed(records, snapshots.complete_from(), begin_ms, &snapshots);
      check_equal(*live, *recovered);
      snapshots_used += snapshots.complete_from() > 0 ? 1 : 0;
      // It goes on as the live one would.
      if (random() % 2 == 0) live = std::move(recovered);
    }
  }
  CHECK(snapshots_used > 20);
}

TEST_CASE("only what changed is written again") {
  Block block(20'000 * day_ms);
  const auto now = nissa::bucket_of(20'000 * day_ms);
  block.add(1, now, {1, 1}, 5);
  CHECK(block.objects_changed_after(4).size() == 5);  // a row in each ring, and the life row
  CHECK(block.objects_changed_after(5).empty());
  block.add(1, now, {1, 1}, 6);  // the next record, into the same rows
  CHECK(block.objects_changed_after(5).size() == 5);
  CHECK(block.objects_changed_after(6).empty());
  block.add(2, now - 2 * 360 * 24, {1, 1}, 7);  // two days old: 5 min and 1 h
  const auto changed = block.objects_changed_after(6);
  REQUIRE(changed.size() == 3);
  CHECK(changed[0].object.ring == 2);
  CHECK(changed[1].object.ring == 3);
  CHECK(changed[2].object.ring == life_object);
  CHECK(changed[2].changed_lsn == 7);
}

TEST_CASE("a damaged object is an error by name, never a wrong count") {
  auto random = nissa::test::random_for(22);
  Block block(20'000 * day_ms);
  for (std::uint32_t lane = 0; lane < 256; lane += 5) {
    block.add(lane, nissa::bucket_of(20'000 * day_ms), {lane, lane + 1000}, 1);
  }
  for (const auto& [object, lsn] : block.objects_changed_after(0)) {
    Bytes value;
    REQUIRE(block.encode_object(object, value));
    for (std::size_t size = 0; size < value.size(); ++size) {
      Block other(0, Block::Mode::replaying);
      CHECK(!other.load_object(object, nissa::ByteView(value).first(size), 1).has_value());
    }
    Bytes longer = value;
    longer.push_back(0);
    Block other(0, Block::Mode::replaying);
    CHECK(!other.load_object(object, longer, 1).has_value());
    for (int round = 0; round < 200; ++round) {  // must not crash; the checksum above tells such damage
      Bytes flipped = value;
      flipped[random() % flipped.size()] ^= static_cast<nissa::Byte>(1u << random() % 8);
      static_cast<void>(other.load_object(object, flipped, 1));
    }
    CHECK(!other.load_object({9, 0}, value, 1).has_value());
    CHECK(!other.load_object({0, 60'000}, value, 1).has_value());
    CHECK(!block.load_object(object, value, 1).has_value());  // it is live
  }
}
