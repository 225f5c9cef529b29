#include "fold/unmatched_identities.hpp"

#include <doctest/doctest.h>

#include "fold/batch_fold.hpp"
#include "nissa.pb.h"
#include "wire/header_peek.hpp"

using namespace nissa;
using namespace nissa::fold;

namespace {

v2::TelemetryEvent event(const std::string& service, const std::string& operation = "",
                         const std::vector<std::pair<std::string, std::string>>& labels = {}) {
  v2::TelemetryEvent made;
  made.set_service(service);
  if (!operation.empty()) made.set_operation(operation);
  for (const auto& [key, value] : labels) {
    made.add_labels()->set_key(key);
    made.mutable_labels(made.labels_size() - 1)->set_value(value);
  }
  return made;
}
Bytes identity_of(const v2::TelemetryEvent& event) {
  const std::string text = event.SerializeAsString();
  return {text.begin(), text.end()};
}
std::string services_of(const UnmatchedIdentities& unmatched) {
  std::string all;
  for (const UnmatchedIdentity& one : unmatched.latest()) all += one.service + ' ';
  return all;
}

// One SLO, of service shop.
struct Node {
  explicit Node(Options options = {}) : fold(shop(), sets, options, {}, {1, 2}) {}
  std::shared_ptr<const slo::Matcher> shop() {
    slo::Rule rule;
    rule.sli.selector.service = "shop";
    return std::make_shared<slo::Matcher>(std::span(&rule, 1), sets);
  }
  void take(const std::vector<v2::TelemetryEvent>& events, UnixMs now_ms) {
    v2::TelemetryBatch batch;
    batch.set_epoch(7);
    batch.set_priority(v2::NORMAL);
    batch.mutable_epoch_seen()->set_state_id(1);
    batch.mutable_epoch_seen()->set_running_ms(2);
    batch.set_sequence(1);
    batch.set_settled_below(1);
    for (const auto& one : events) *batch.add_events() = one;
    batch.set_event_count(static_cast<std::uint32_t>(events.size()));
    const std::string text = batch.SerializeAsString();
    const Bytes bytes(text.begin(), text.end());
    const auto header = wire::peek_header(bytes);
    REQUIRE(header.has_value());
    std::vector<slo::Cell> cells;
    REQUIRE(fold.fold(bytes, *header, {.ledger_now_ms = now_ms, .arrival_ms = now_ms}, cells).has_value());
  }
  slo::MatchSets sets;
  BatchFold fold;
};

}  // namespace

TEST_CASE("the latest come first, one that comes again moves up, and beyond twenty the oldest goes") {
  UnmatchedIdentities unmatched;
  CHECK(unmatched.latest().empty());
  for (int i = 0; i < 25; ++i) unmatched.learned(identity_of(event("s" + std::to_string(i))), i);
  CHECK(services_of(unmatched) == "s24 s23 s22 s21 s20 s19 s18 s17 s16 s15 s14 s13 s12 s11 s10 s9 s8 s7 s6 s5 ");
  unmatched.learned(identity_of(event("s7")), 99);
  CHECK(services_of(unmatched).starts_with("s7 s24 s23 "));
  CHECK(unmatched.latest().size() == UnmatchedIdentities::kept);
  CHECK(unmatched.latest()[0].learned_ms == 99);
  CHECK(unmatched.latest()[1].learned_ms == 24);
  unmatched.learned(identity_of(event("new")), 100);
  CHECK(services_of(unmatched).starts_with("new s7 s24 "));
  CHECK(services_of(unmatched).ends_with(" s6 "));
  unmatched.clear();
  CHECK(unmatched.latest().empty());
}

TEST_CASE("an identity longer than 4 KiB is not listed, so what is kept is bounded") {
  UnmatchedIdentities unmatched;
  unmatched.learned(Bytes(UnmatchedIdentities::longest + 1, 0), 1);
  CHECK(unmatched.latest().empty());
  unmatched.learned(identity_of(event(std::string(UnmatchedIdentities::longest - 10, 's'))), 1);
  CHECK(unmatched.latest().size() == 1);
}

TEST_CASE("the fold lists what no SLO wants, with labels and ledger time, once, and nothing else") {
  Node node;
  const auto stray = event("bank", "GET /", {{"region", "eu"}, {"region", "us"}});
  node.take({event("shop"), stray, stray, event(""), event(std::string(257, 'x'))}, 1'749'995'200'000);
  auto latest = node.fold.unmatched().latest();
  REQUIRE(latest.size() == 1);
  CHECK(latest[0].service == "bank");
  CHECK(latest[0].operation == "GET /");
  CHECK(latest[0].labels == std::vector<std::pair<std::string, std::string>>{{"region", "eu"}, {"region", "us"}});
  CHECK(latest[0].learned_ms == 1'749'995'200'000);
  node.take({stray}, 1'749'995'300'000);  // recognised: nothing is learned
  CHECK(node.fold.unmatched().latest()[0].learned_ms == 1'749'995'200'000);
  node.fold.set_matcher(node.shop());
  CHECK(node.fold.unmatched().latest().empty());
}
