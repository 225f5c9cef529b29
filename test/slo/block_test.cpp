#include "slo/block.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "support/seed.hpp"

using namespace nissa::slo;
using nissa::bucket_of;

namespace {
constexpr nissa::UnixMs now_ms = 20'000 * day_ms;  // on every grid
}

TEST_CASE("a count is in every window that reaches back to it, and leaves them one by one at their edges") {
  Block block(now_ms);
  block.add(5, bucket_of(now_ms), {1, 2}, 1);
  for (const auto& sum : block.window_sums(5)) CHECK(sum == Counts{1, 2});
  for (std::size_t w = 0; w < window_count; ++w) {
    CAPTURE(windows[w].name);
    block.advance(now_ms + windows[w].length_ms + windows[w].grid_ms() - 1);
    CHECK(block.window_sums(5)[w] == Counts{1, 2});
    block.advance(now_ms + windows[w].length_ms + windows[w].grid_ms());
    CHECK(block.window_sums(5)[w] == Counts{});
  }
  CHECK(block.life(5) == Life{{1, 2}, now_ms});
}

TEST_CASE("what lies ahead of the head enters when the head passes, once, and late counts of that bucket beside it") {
  Block block(now_ms);
  block.add(0, bucket_of(now_ms) + 1, {1, 1}, 1);
  CHECK(block.window_sums(0)[window_30d] == Counts{});
  CHECK(block.sum_since(0, now_ms - day_ms) == Counts{});
  CHECK(block.life(0).lifetime == Counts{1, 1});
  block.advance(now_ms + 9'999);
  CHECK(block.window_sums(0)[window_5m] == Counts{});
  block.advance(now_ms + 10'000);
  CHECK(block.window_sums(0)[window_5m] == Counts{1, 1});
  block.add(0, bucket_of(now_ms) + 1, {0, 1}, 2);
  block.advance(now_ms + 20'000);
  block.advance(now_ms + 30'000);
  for (const auto& sum : block.window_sums(0)) CHECK(sum == Counts{1, 2});
}

TEST_CASE("where a bucket counts is worked out anew when the head has moved, also for the same record number") {
  Block block(now_ms);
  block.add(0, bucket_of(now_ms) + 1, {1, 1}, 7);
  block.advance(now_ms + 10'000);
  block.add(0, bucket_of(now_ms) + 1, {1, 1}, 7);
  CHECK(block.window_sums(0)[window_5m] == Counts{2, 2});
  block.advance(now_ms + 40 * day_ms);
  block.add(0, bucket_of(now_ms) + 1, {1, 1}, 7);
  CHECK(block.window_sums(0)[window_30d] == Counts{});
  CHECK(block.life(0).lifetime == Counts{3, 3});
}

TEST_CASE("older than 30 days counts for the lifetime only") {
  Block block(now_ms);
  const auto start = bucket_of(window_start_ms(windows[window_30d], now_ms));
  block.add(1, start - 1, {1, 1}, 1);
  CHECK(block.window_sums(1)[window_30d] == Counts{});
  CHECK(block.life(1).lifetime == Counts{1, 1});
  block.add(1, start, {1, 1}, 2);
  CHECK(block.window_sums(1)[window_30d] == Counts{1, 1});
  CHECK(block.window_sums(1)[window_30d - 1] == Counts{});
}

TEST_CASE("born is the time of the record that first counted, whatever the event's time, and is never moved back") {
  Block block(now_ms);
  CHECK(block.life(2).born == not_born);
  block.advance(now_ms + 1'234);
  block.add(2, bucket_of(now_ms - 20 * day_ms), {1, 1}, 1);
  block.advance(now_ms + 5'000);
  block.add(2, bucket_of(now_ms - 25 * day_ms), {1, 1}, 2);
  CHECK(block.life(2).born == now_ms + 1'234);
}

TEST_CASE("broken expectations are reported and change as little as can be") {
  Block block(now_ms);
  nissa::Bytes before;
  block.append_state(before);
  const nissa::test::ExpectViolations violations;
  block.add(256, bucket_of(now_ms), {1, 1}, 1);
  block.add(0, bucket_of(now_ms), {2, 1}, 1);
  block.advance(now_ms - 1);
  CHECK(block.head_ms() == now_ms);
  nissa::Bytes after;
  block.append_state(after);
  CHECK(before == after);
  block.add(0, bucket_of(now_ms) + buckets_ahead + 1, {1, 1}, 1);
  CHECK(block.life(0).lifetime == Counts{1, 1});
  CHECK(violations.seen() == 4);
  for (int minute = 0; minute < 10; ++minute) block.advance(now_ms + minute * minute_ms);
  CHECK(block.window_sums(0)[window_30d] == Counts{});
}

TEST_CASE("an hour at more than 2^32 events keeps every one of them in every window") {
  Block block(now_ms);
  Counts sum;
  for (int i = 0; i < 6; ++i) {
    block.advance(now_ms + i * 10'000);
    const Counts counts{3'000'000'000, 3'000'000'001};
    block.add(9, bucket_of(block.head_ms()), counts, 1);
    block.add(10, bucket_of(block.head_ms()), {1, 1}, 1);
    sum += counts;
  }
  for (const auto& one : block.window_sums(9)) CHECK(one == sum);
  block.advance(now_ms + 2 * day_ms);
  CHECK(block.window_sums(9)[window_30d] == sum);
  CHECK(block.window_sums(9)[window_1h] == Counts{});
  block.advance(now_ms + 31 * day_ms);
  for (const auto& one : block.window_sums(9)) CHECK(one == Counts{});
}

TEST_CASE("a month of traffic in all lanes takes at most 24 KiB an SLO, and after a month of silence next to nothing") {
  Block block(now_ms);
  for (std::int64_t bucket = 0; bucket < 31 * day_ms / nissa::bucket_ms; ++bucket) {
    block.advance(now_ms + bucket * nissa::bucket_ms);
    for (std::uint32_t lane = 0; lane < (bucket % 30 == 0 ? 256 : 1); ++lane) {
      block.add(lane, bucket_of(block.head_ms()), {1, 1}, 1);
    }
  }
  CHECK(block.memory_bytes() / block_lanes <= 24 * 1024);
  MESSAGE("bytes an SLO: ", block.memory_bytes() / block_lanes);
  block.advance(now_ms + 70 * day_ms);
  CHECK(block.memory_bytes() / block_lanes < 1024);
}

TEST_CASE("any order of the same counts gives the same state, bit for bit") {
  auto random = nissa::test::random_for(17);
  struct Add {
    std::uint32_t lane;
    nissa::Bucket bucket;
    Counts counts;
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<Add> adds;
    for (int i = 0; i < 300; ++i) {
      const std::uint64_t total = 1 + random() % (i % 50 == 0 ? 5'000'000'000 : 10);
      const auto age = static_cast<std::int64_t>(random() % (31 * day_ms) >> random() % 12);
      adds.push_back(
          {static_cast<std::uint32_t>(random() % 8), bucket_of(now_ms - age), {random() % (total + 1), total}});
    }
    std::vector<nissa::Bytes> states;
    for (int order = 0; order < 3; ++order) {
      std::ranges::shuffle(adds, random);
      Block block(now_ms);
      for (std::uint32_t lane = 0; lane < 8; ++lane) block.add(lane, bucket_of(now_ms), {1, 1}, 1);  // born
      // The records lie at other times each time; the end is the same.
      for (std::size_t i = 0; i < adds.size(); ++i) {
        if (random() % 10 == 0) block.advance(block.head_ms() + static_cast<std::int64_t>(random() % minute_ms));
        block.add(adds[i].lane, adds[i].bucket, adds[i].counts, i + 1);
      }
      block.advance(now_ms + 2 * hour_ms);
      nissa::Bytes& state = states.emplace_back();
      block.append_state(state);
      for (std::uint32_t lane = 0; lane < 8; ++lane) {
        for (const auto& sum : block.window_sums(lane)) nissa::ByteWriter(state).varint(sum.total);
      }
    }
    CHECK(states[0] == states[1]);
    CHECK(states[0] == states[2]);
  }
}
