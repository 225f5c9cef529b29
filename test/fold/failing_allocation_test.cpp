// Memory that runs out while a batch is folded: one refusal with a reason, and all is as right as before.
#include "support/failing_allocation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/memory.hpp"
#include "batch_maker.hpp"
#include "fold/batch_fold.hpp"
#include "fold/match_memo.hpp"
#include "support/choices.hpp"
#include "support/seed.hpp"

namespace {

using namespace nissa;
using namespace nissa::test;

using Outcome = std::expected<fold::Folded, wire::Malformed>;

struct Sent {
  Bytes bytes;
  wire::BatchHeader header;
  NaiveContext context;
};

struct Node {
  Node(const std::vector<slo::Rule>& rules, const fold::Options& options)
      : matcher(std::make_shared<slo::Matcher>(rules, sets)), fold(matcher, sets, options, {}, {3, 5}) {}
  Outcome take(const Sent& sent) {
    return fold.fold(sent.bytes, sent.header,
                     {sent.context.ledger_now_ms, sent.context.arrival_ms, sent.context.skew_ns}, cells);
  }
  slo::MatchSets sets;
  std::shared_ptr<const slo::Matcher> matcher;
  fold::BatchFold fold;
  std::vector<slo::Cell> cells;
};

// Of every shape: some are malformed behind their header, or hold what is not counted.
Sent make_batch(BatchMaker& make, Choices& choose, const NaiveContext& context) {
  for (;;) {
    Sent sent{
        .bytes = BatchMaker::encoded(make.batch(1 + choose.below(40), context)), .header = {}, .context = context};
    const auto header = wire::peek_header(sent.bytes);
    REQUIRE(header);
    sent.header = *header;
    const std::size_t body = sent.bytes.size() - header->header_size;
    if (choose.chance(15)) sent.bytes.resize(sent.bytes.size() - choose.below(body));
    if (choose.chance(10)) sent.bytes[header->header_size + choose.below(body / 2)] ^= 1;
    const auto still = wire::peek_header(sent.bytes);
    if (!still || still->header_size != header->header_size) continue;
    sent.header = *still;
    return sent;
  }
}

bool same(const Outcome& a, const Outcome& b) {
  if (a.has_value() != b.has_value()) return false;
  if (!a) return a.error() == b.error();
  return a->accepted == b->accepted && a->late == b->late && a->rejected == b->rejected &&
         a->unmatched == b->unmatched && a->fanout_dropped == b->fanout_dropped && a->metrics == b->metrics &&
         a->alerts == b->alerts;
}
bool same(const std::vector<slo::Cell>& a, const std::vector<slo::Cell>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.key == y.key && x.count == y.count; });
}

// The batch numbered `broken` of these is folded while the memory runs out at allocation k; then again, until it gets
// through. Everything that is folded comes out as without that. False: it did not need so many.
bool hold_against_whole(const std::vector<slo::Rule>& rules, const fold::Options& options,
                        const std::vector<Sent>& batches, std::size_t broken, std::uint64_t k,
                        FailingAllocation::Then then) {
  Node node(rules, options);
  Node whole(rules, options);
  bool happened = false;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (i == broken) {
      const std::vector<slo::Cell> before = node.cells;
      Outcome outcome;
      {
        const FailingAllocation fail(k, then);
        outcome = node.take(batches[i]);
        happened = fail.happened();
      }
      if (!happened) return false;
      REQUIRE_FALSE(outcome.has_value());
      CHECK(outcome.error().reason == Reason::no_room);
      CHECK(same(node.cells, before));
    }
    const Outcome outcome = node.take(batches[i]);
    CHECK(same(outcome, whole.take(batches[i])));
    CHECK(same(node.cells, whole.cells));
  }
  CHECK(node.fold.counters().memo_bytes.value() <= options.most_identity_bytes + (std::size_t{256} << 10));
  CHECK(node.fold.unmatched().latest().size() == whole.fold.unmatched().latest().size());
  return true;
}

}  // namespace

TEST_CASE("memory that runs out at any allocation of a fold refuses that batch, and nothing else is changed by it") {
  auto random = random_for(0x761);
  RandomChoices choose(random);
  BatchMaker make(choose);
  std::uint64_t refused = 0;
  for (int round = 0; round < 12; ++round) {
    const auto rules = make.rules(choose.below(12));
    fold::Options options;
    options.most_identities = 10 + choose.below(60);
    options.most_identity_bytes = 300'000;
    const NaiveContext context = make.context();
    std::vector<Sent> batches;
    for (int i = 0; i < 4; ++i) batches.push_back(make_batch(make, choose, context));
    const std::int64_t alive = allocations_alive();
    for (const auto then : {FailingAllocation::Then::succeed, FailingAllocation::Then::fail})
      for (std::size_t broken = 0; broken < 3; ++broken)
        for (std::uint64_t k = 0; hold_against_whole(rules, options, batches, broken, k, then); ++k) ++refused;
    CHECK(allocations_alive() == alive);
  }
  MESSAGE("refused for want of memory: ", refused);
  CHECK(refused > 500);
}

TEST_CASE("the memory of identities loses no memory while memory runs out: what it gives away it uses again") {
  auto random = random_for(0x763);
  fold::MatchMemo memo(1'000, 5 * fold::MatchMemo::segment_bytes, {1, 2});
  std::int64_t alive = 0;
  for (std::uint64_t n = 0; n < 30'000; ++n) {
    const Bytes identity(15'000 + n % 7, static_cast<Byte>(n * 31 >> 3));
    {
      const FailingAllocation fail(random() % 4);
      (void)had_memory([&] { memo.remember(n << 40 | n, identity, fold::Known::matches(1)); });
    }
    if (n == 5'000) alive = allocations_alive();
    if (n > 5'000) REQUIRE(allocations_alive() <= alive + 8);
  }
}

TEST_CASE("identities that are forgotten while memory runs out again and again are learned again, within the bounds") {
  auto random = random_for(0x762);
  RandomChoices choose(random);
  BatchMaker make(choose);
  const std::int64_t alive = allocations_alive();
  {
    const auto rules = make.rules(8);
    fold::Options options;
    options.most_identities = 2'000;
    options.most_identity_bytes = 500'000;
    Node node(rules, options);
    Node whole(rules, options);
    int refused = 0;
    for (int i = 0; i < 1'500; ++i) {
      const Sent sent = make_batch(make, choose, make.context());
      {
        const FailingAllocation fail(
            choose.below(60), choose.chance(50) ? FailingAllocation::Then::succeed : FailingAllocation::Then::fail);
        node.cells.clear();
        (void)node.take(sent);
        refused += fail.happened() ? 1 : 0;
      }
      node.cells.clear();
      whole.cells.clear();
      REQUIRE(same(node.take(sent), whole.take(sent)));
      REQUIRE(same(node.cells, whole.cells));
      REQUIRE(node.fold.counters().memo_bytes.value() <= options.most_identity_bytes + (std::size_t{256} << 10));
      if (i % 200 == 199) {  // new rules need no memory: they cannot be taken by halves
        const std::uint64_t before = allocations_made();
        node.fold.set_matcher(node.matcher);
        CHECK(allocations_made() == before);
        whole.fold.set_matcher(whole.matcher);
      }
    }
    CHECK(refused > 300);
  }
  CHECK(allocations_alive() == alive);
}
