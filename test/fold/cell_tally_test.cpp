#include "fold/cell_tally.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::fold;

// Adds the keys in steps of up to 32, as the fold does, and compares with a map.
void check_batch(CellTally& tally, const std::vector<std::uint64_t>& keys) {
  tally.begin(keys.size());
  std::map<std::uint64_t, std::uint32_t> counts;
  std::vector<std::uint64_t> in_order;
  for (std::size_t at = 0; at < keys.size(); at += 32)
    tally.add(std::span(keys).subspan(at, std::min<std::size_t>(32, keys.size() - at)));
  for (const std::uint64_t key : keys)
    if (++counts[key] == 1) in_order.push_back(key);
  REQUIRE(tally.cells().size() == in_order.size());
  for (std::size_t i = 0; i < in_order.size(); ++i) {
    REQUIRE(tally.cells()[i].key == in_order[i]);
    REQUIRE(tally.cells()[i].count == counts[in_order[i]]);
  }
}

}  // namespace

TEST_CASE("batches of all sizes, growing and shrinking, are counted as by a map, each key once, the first met first") {
  auto random = nissa::test::random_for(731);
  CellTally tally(random());
  for (int round = 0; round < 3000; ++round) {
    const std::size_t size = random() % 8 == 0 ? random() % 3000 : random() % 100;
    const std::uint64_t distinct = 1 + random() % (random() % 2 == 0 ? 5 : 5000);
    std::vector<std::uint64_t> keys(size);
    for (auto& key : keys) key = (random() % distinct) << (random() % 2 * 30);
    check_batch(tally, keys);
  }
}

TEST_CASE("what earlier batches counted is gone, also when the generations begin anew after 65 535 batches") {
  auto random = nissa::test::random_for(732);
  CellTally tally(random());
  std::vector<std::uint64_t> keys(8);
  for (int batch = 0; batch < 3 * 65'536 + 10; ++batch) {
    for (auto& key : keys) key = random() % 16;
    check_batch(tally, keys);
  }
}

TEST_CASE("the largest batch, every event a cell of its own") {
  CellTally tally(7);
  std::vector<std::uint64_t> keys(most_events_a_batch);
  for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = i * 0x1'0000'0001;
  check_batch(tally, keys);
  check_batch(tally, {5, 5, 6});
}
