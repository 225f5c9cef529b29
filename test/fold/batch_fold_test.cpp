#include "fold/batch_fold.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "batch_maker.hpp"
#include "oracle/literal_decode.hpp"
#include "oracle/naive_fold.hpp"
#include "support/choices.hpp"
#include "support/seed.hpp"
#include "wire/event_writer.hpp"

namespace {

using namespace nissa;
using namespace nissa::test;

struct Node {
  explicit Node(const std::vector<slo::Rule>& rules, fold::Options options = {})
      : matcher(std::make_shared<slo::Matcher>(rules, sets)), fold(matcher, sets, options, {}, {seed(), 5}) {}
  std::expected<fold::Folded, wire::Malformed> take(const Bytes& batch, const NaiveContext& context) {
    const auto header = wire::peek_header(batch);
    if (!header) return std::unexpected(header.error());
    return fold.fold(batch, *header, {context.ledger_now_ms, context.arrival_ms, context.skew_ns}, cells);
  }
  slo::MatchSets sets;
  std::shared_ptr<const slo::Matcher> matcher;
  fold::BatchFold fold;
  std::vector<slo::Cell> cells;
};

using SloCounts = std::map<std::pair<slo::SloId, Bucket>, NaiveCounts>;

SloCounts expanded(std::span<const slo::Cell> cells, const slo::MatchSets& sets) {
  SloCounts counts;
  for (const slo::Cell& cell : cells) {
    const slo::MatchSet& set = sets.at(slo::set_of(cell.key));
    for (std::size_t i = 0; i < set.members().size(); ++i) {
      const slo::Verdict verdict = set.verdict(slo::class_of(cell.key), i);
      if (verdict == slo::Verdict::ignored) continue;
      auto& one = counts[{set.members()[i], slo::bucket_of_cell(cell.key)}];
      one.total += cell.count;
      one.good += verdict == slo::Verdict::good ? cell.count : 0;
    }
  }
  return counts;
}

void check_same(const fold::Folded& folded, const NaiveFold& naive) {
  CHECK(folded.accepted == naive.accepted);
  CHECK(folded.late == naive.late);
  for (std::size_t i = 0; i < event_fault_count; ++i) {
    CAPTURE(i);
    CHECK(folded.rejected[i] == naive.rejected[i]);
  }
  CHECK(folded.unmatched == naive.unmatched);
  CHECK(folded.fanout_dropped == naive.fanout_dropped);
}

bool same_cells(std::vector<slo::Cell> a, std::vector<slo::Cell> b) {
  const auto by_key = [](const slo::Cell& x, const slo::Cell& y) { return x.key < y.key; };
  std::ranges::sort(a, by_key);
  std::ranges::sort(b, by_key);
  return std::ranges::equal(
      a, b, [](const slo::Cell& x, const slo::Cell& y) { return x.key == y.key && x.count == y.count; });
}

}  // namespace

TEST_CASE("the cells of a batch, expanded, are what holding each event against each rule counts") {
  auto random = random_for(701);
  RandomChoices choose(random);
  BatchMaker make(choose);
  std::uint64_t counted = 0;
  for (int round = 0; round < 60; ++round) {
    // Now and then so many rules that an event matches more than 64.
    const auto rules = make.rules(round % 10 == 0 ? 300 : choose.below(20));
    Node node(rules);
    for (int batch = 0; batch < 10; ++batch) {
      const NaiveContext context = make.context();
      const auto message = make.batch(1 + choose.below(batch == 0 ? 400 : 60), context);
      const std::size_t before = node.cells.size();
      const auto folded = node.take(BatchMaker::encoded(message), context);
      REQUIRE(folded);
      const NaiveFold naive = naive_fold(message, rules, context);
      check_same(*folded, naive);
      const std::span<const slo::Cell> added = std::span(node.cells).subspan(before);
      CHECK(expanded(added, node.sets) == naive.counts);
      for (std::size_t i = 0; i < added.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) REQUIRE(added[i].key != added[j].key);
      CHECK(folded->metrics == static_cast<std::uint32_t>(message.metrics_size()));
      CHECK(folded->alerts == static_cast<std::uint32_t>(message.alerts_size()));
      counted += naive.counts.size();
    }
  }
  CHECK(counted > 1000);  // the generator is not idle
}

TEST_CASE(
    "a batch that is damaged anywhere is accepted only if the literal decoder accepts it, and leaves nothing else") {
  auto random = random_for(702);
  RandomChoices choose(random);
  BatchMaker make(choose);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const auto rules = make.rules(6);
    Node node(rules);
    const NaiveContext context = make.context();
    Bytes bytes = BatchMaker::encoded(make.batch(1 + choose.below(20), context));
    if (round % 3 != 0) REQUIRE(node.take(bytes, context));  // a memory that knows some of the identities
    const std::vector<slo::Cell> before = node.cells;
    switch (choose.below(4)) {
      case 0:
        bytes[choose.below(bytes.size())] ^= static_cast<Byte>(1u << choose.below(8));
        break;
      case 1:
        bytes.resize(choose.below(bytes.size()));
        break;
      case 2:
        bytes.insert(bytes.begin() + static_cast<long>(choose.below(bytes.size())), static_cast<Byte>(choose.bits(1)));
        break;
      default:
        bytes[choose.below(bytes.size())] = static_cast<Byte>(choose.bits(1));
        break;
    }
    const auto folded = node.take(bytes, context);
    const auto literal = literal_batch(bytes);
    CHECK(folded.has_value() == literal.has_value());
    if (folded && literal) {
      check_same(*folded, naive_fold(*literal, rules, context));
      ++accepted;
    } else {
      ++refused;
      CHECK(node.cells.size() == before.size());
      CHECK(same_cells(node.cells, before));
    }
  }
  CHECK(accepted > 100);
  CHECK(refused > 100);
}

TEST_CASE("a memory too small for its identities costs time, never counts") {
  auto random = random_for(703);
  RandomChoices choose(random);
  BatchMaker make(choose);
  const auto rules = make.rules(12);
  Node roomy(rules);
  Node one_entry(rules, {.most_identities = 1});
  Node one_segment(rules, {.most_identity_bytes = 1});
  for (int round = 0; round < 200; ++round) {
    const NaiveContext context = make.context();
    const Bytes bytes = BatchMaker::encoded(make.batch(100, context));
    const auto expected = roomy.take(bytes, context);
    REQUIRE(expected);
    for (Node* node : {&one_entry, &one_segment}) {
      const auto folded = node->take(bytes, context);
      REQUIRE(folded);
      CHECK(folded->accepted == expected->accepted);
      CHECK(folded->rejected == expected->rejected);
      CHECK(same_cells(node->cells, roomy.cells));
    }
    roomy.cells.clear();
    one_entry.cells.clear();
    one_segment.cells.clear();
  }
  CHECK(one_entry.fold.counters().missed.value() > roomy.fold.counters().missed.value());
}

TEST_CASE("bytes made to look like the memory of an identity that goes in the same step are not taken for it") {
  slo::Rule rule{.slo = 4};
  rule.sli.selector.service = "shop";
  // One segment, whose room is used again at once.
  Node node({rule}, {.most_identity_bytes = 1});
  const auto identity_of = [](std::string_view service, const Bytes& unknown) {
    Bytes identity;
    wire::append_identity(identity, service, "", {});
    if (!unknown.empty()) {
      identity.push_back(wire::tag_of(11, wire::WireType::bytes));
      ByteWriter(identity).text(as_text(unknown));
    }
    return identity;
  };
  const auto batch_of = [](const std::vector<Bytes>& identities) {
    Bytes batch;
    wire::append_header(batch, {.event_count = static_cast<std::uint32_t>(identities.size())});
    for (const Bytes& identity : identities) wire::append_event(batch, {}, identity);
    return batch;
  };
  const NaiveContext context{.ledger_now_ms = 1'749'995'200'000, .arrival_ms = 1'749'995'200'000};
  constexpr std::size_t header = sizeof(fold::MatchMemo::Entry);
  const Bytes first = identity_of("padding-of-24-bytes---", {});
  const Bytes victim = identity_of("shop", {});
  REQUIRE(first.size() == 24);
  std::vector<Bytes> fillers{first, victim};
  for (Byte i = 0; i < 6; ++i) fillers.push_back(identity_of("fill", Bytes(19'900, i)));
  REQUIRE(node.take(batch_of(fillers), context));
  node.cells.clear();
  const std::uint64_t missed = node.fold.counters().missed.value();

  // Too large for the segment's rest, so it lies at its begin next; where the victim lay it bears another verdict.
  Bytes forged(19'900);
  const std::size_t before = identity_of("evil", forged).size() - forged.size();
  const fold::MatchMemo::Entry lie{fold::Known::rejected(EventFault::no_service),
                                   static_cast<std::uint32_t>(victim.size())};
  Byte* const at = forged.data() + (header + first.size()) - (header + before);
  std::memcpy(at, &lie, sizeof lie);
  std::memcpy(at + sizeof lie, victim.data(), victim.size());
  const auto folded = node.take(batch_of({identity_of("evil", forged), victim}), context);
  REQUIRE(folded);
  CHECK(node.fold.counters().missed.value() == missed + 2);
  CHECK(folded->accepted == 2);
  CHECK(expanded(node.cells, node.sets).size() == 1);
}

TEST_CASE("in semantic mode fields out of order count as the same batch in order does; in strict mode nothing does") {
  auto random = random_for(704);
  RandomChoices choose(random);
  BatchMaker make(choose);
  const auto rules = make.rules(12);
  for (int round = 0; round < 50; ++round) {
    const NaiveContext context = make.context();
    v2::TelemetryBatch message = make.batch(5, context);
    message.clear_metrics();
    message.clear_alerts();
    message.set_event_count(6);
    v2::TelemetryEvent last;
    last.set_outcome(v2::TelemetryEvent::TIMEOUT);
    last.set_service("shop");
    Bytes bytes = BatchMaker::encoded(message);
    // The sixth event by hand: its service before its outcome.
    const Bytes backwards{0x52, 8, 0x42, 4, 's', 'h', 'o', 'p', 0x18, 2};
    bytes.insert(bytes.end(), backwards.begin(), backwards.end());
    *message.add_events() = last;

    Node strict(rules);
    const auto refused = strict.take(bytes, context);
    REQUIRE(!refused);
    CHECK(refused.error().reason == Reason::field_out_of_order);
    CHECK(strict.cells.empty());

    Node semantic(rules, {.proof = fold::Proof::semantic});
    const auto folded = semantic.take(bytes, context);
    REQUIRE(folded);
    check_same(*folded, naive_fold(message, rules, context));
    Node in_order(rules);
    REQUIRE(in_order.take(BatchMaker::encoded(message), context));
    CHECK(expanded(semantic.cells, semantic.sets) == expanded(in_order.cells, in_order.sets));
    CHECK(semantic.fold.counters().brought_into_form.value() == 1);
  }
}

TEST_CASE("what is brought into form is bounded: a larger batch is malformed in semantic mode too") {
  v2::TelemetryBatch message;
  message.set_epoch(1);
  message.set_priority(v2::LOW);
  message.set_sequence(1);
  message.set_settled_below(1);
  message.set_event_count(2);
  message.mutable_epoch_seen()->set_state_id(1);
  message.mutable_epoch_seen()->set_running_ms(1);
  v2::TelemetryEvent& padding = *message.add_events();
  padding.set_service("shop");
  const Bytes backwards{0x52, 8, 0x42, 4, 's', 'h', 'o', 'p', 0x18, 2};  // its service before its outcome
  const auto batch_of_size = [&](std::size_t size) {
    for (;;) {
      Bytes bytes = BatchMaker::encoded(message);
      bytes.insert(bytes.end(), backwards.begin(), backwards.end());
      if (bytes.size() == size) return bytes;
      padding.mutable_operation()->resize(padding.operation().size() + size - bytes.size(), 'x');
    }
  };
  Node node({}, {.proof = fold::Proof::semantic});
  const auto most = node.take(batch_of_size(fold::most_reformed_bytes), NaiveContext{});
  REQUIRE(most);
  CHECK(most->rejected[static_cast<std::size_t>(EventFault::name_too_long) - 1] == 1);
  const auto more = node.take(batch_of_size(fold::most_reformed_bytes + 1), NaiveContext{});
  REQUIRE_FALSE(more);
  CHECK(more.error().reason == Reason::field_out_of_order);
}

TEST_CASE("after a change of the rules nothing that was remembered counts by the old ones") {
  slo::Rule rule{.slo = 4};
  rule.sli.selector.service = "shop";
  Node node({rule});
  v2::TelemetryBatch message;
  message.set_epoch(1);
  message.set_priority(v2::LOW);
  message.set_sequence(1);
  message.set_settled_below(1);
  message.set_event_count(1);
  message.mutable_epoch_seen()->set_state_id(1);
  message.mutable_epoch_seen()->set_running_ms(0);
  message.add_events()->set_service("shop");
  const Bytes bytes = BatchMaker::encoded(message);
  const NaiveContext context{.ledger_now_ms = 1'749'995'200'000, .arrival_ms = 1'749'995'200'000};
  REQUIRE(node.take(bytes, context));
  CHECK(expanded(node.cells, node.sets).size() == 1);
  node.cells.clear();
  rule.sli.selector.service = "pay";
  const std::vector<slo::Rule> changed{rule};
  node.fold.set_matcher(std::make_shared<slo::Matcher>(changed, node.sets));
  const auto folded = node.take(bytes, context);
  REQUIRE(folded);
  CHECK(folded->unmatched == 1);
  CHECK(node.cells.empty());
}

TEST_CASE("an event that no more combinations of SLOs are told apart for is rejected by name") {
  std::vector<slo::Rule> rules;
  for (std::uint32_t i = 0; i < 4; ++i) {
    slo::Rule rule{.slo = i};
    rule.sli.selector.labels.push_back({"n" + std::to_string(i), "*"});
    rules.push_back(rule);
  }
  slo::MatchSets sets(3);
  fold::BatchFold fold(std::make_shared<slo::Matcher>(rules, sets), sets, {}, {}, {1, 2});
  v2::TelemetryBatch message;
  message.set_priority(v2::LOW);
  message.set_event_count(16);
  for (int mask = 0; mask < 16; ++mask) {
    auto& event = *message.add_events();
    event.set_service("shop");
    for (int i = 0; i < 4; ++i) {
      if ((mask >> i & 1) == 0) continue;
      auto& label = *event.add_labels();
      label.set_key("n" + std::to_string(i));
      label.set_value("x");
    }
  }
  const Bytes bytes = BatchMaker::encoded(message);
  const auto header = wire::peek_header(bytes);
  REQUIRE(header);
  std::vector<slo::Cell> cells;
  const auto folded = fold.fold(bytes, *header, {1'749'995'200'000, 1'749'995'200'000, 0}, cells);
  REQUIRE(folded);
  const auto full = folded->rejected[static_cast<std::size_t>(EventFault::match_sets_full) - 1];
  CHECK(full > 0);
  CHECK(folded->accepted + full == 16);
}
