// Random rules and random batches over a small vocabulary, so that they meet; with every fault of meaning now and then.
#pragma once
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "nissa.pb.h"
#include "oracle/naive_fold.hpp"
#include "support/choices.hpp"
#include "wire/header_peek.hpp"

namespace nissa::test {

class BatchMaker {
 public:
  explicit BatchMaker(Choices& choose) : choose_(choose) {}

  std::vector<slo::Rule> rules(std::size_t count) {
    std::vector<slo::Rule> made;
    for (std::size_t i = 0; i < count; ++i) {
      slo::Rule rule{.slo = static_cast<slo::SloId>(i * 3)};
      rule.sli.selector.service = pick({"*", "shop", "shop", "pay", "s*", "?ay", "nobody"});
      rule.sli.selector.operation = pick({"*", "*", "GET /*", "GET /cart", ""});
      if (choose_.chance(40)) rule.sli.selector.labels.push_back({"region", pick({"*", "eu", "e?", "us"})});
      if (choose_.chance(15)) rule.sli.selector.labels.push_back({"tier", pick({"*", "gold"})});
      if (choose_.chance(50)) {
        rule.sli.criterion.kind = slo::SliKind::latency;
        rule.sli.criterion.threshold_ns = static_cast<std::int64_t>(1 + choose_.below(5)) * 100;
        if (choose_.chance(50)) rule.sli.criterion.failures = slo::Failures::bad;
      }
      made.push_back(rule);
    }
    return made;
  }

  NaiveContext context() {
    NaiveContext made;
    made.ledger_now_ms = 1'749'995'200'000 + static_cast<UnixMs>(choose_.below(100'000'000));
    made.arrival_ms = made.ledger_now_ms - static_cast<UnixMs>(choose_.below(60'000));
    if (choose_.chance(30))
      made.skew_ns = static_cast<std::int64_t>(choose_.below(100'000)) * ns_per_s - 50'000 * ns_per_s;
    return made;
  }

  v2::TelemetryBatch batch(std::size_t events, const NaiveContext& context) {
    v2::TelemetryBatch made;
    made.set_epoch(7);
    made.set_priority(v2::NORMAL);
    made.set_sequence(1);
    made.set_settled_below(1);
    for (std::size_t i = 0; i < events; ++i) event(*made.add_events(), context);
    if (choose_.chance(20)) made.add_metrics()->set_name("queue_length");
    if (choose_.chance(20)) made.add_alerts()->set_name("on fire");
    made.set_event_count(static_cast<std::uint32_t>(made.events_size() + made.metrics_size() + made.alerts_size()));
    made.mutable_epoch_seen()->set_state_id(1);
    made.mutable_epoch_seen()->set_running_ms(2);
    return made;
  }

  static Bytes encoded(const v2::TelemetryBatch& batch) {
    const std::string text = batch.SerializeAsString();
    return {text.begin(), text.end()};
  }

 private:
  std::string pick(std::initializer_list<const char*> some) { return some.begin()[choose_.below(some.size())]; }

  void event(v2::TelemetryEvent& made, const NaiveContext& context) {
    if (choose_.chance(90)) made.set_time_unix_ns(time(context));
    if (choose_.chance(80)) made.set_duration_ns(choose_.chance(3) ? choose_.bits(8) : choose_.below(7) * 100);
    if (choose_.chance(3)) made.set_duration_ns(~std::uint64_t{0});
    if (choose_.chance(80)) made.set_outcome(static_cast<v2::TelemetryEvent::Outcome>(choose_.below(5)));
    if (choose_.chance(30)) made.set_request_id(std::string(choose_.chance(10) ? 65 : choose_.below(65), 'r'));
    if (choose_.chance(97)) made.set_service(pick({"shop", "shop", "pay", "way", ""}));
    if (choose_.chance(80)) made.set_operation(pick({"GET /", "GET /cart", "POST /cart", ""}));
    if (choose_.chance(2)) made.set_operation(std::string(256 + choose_.below(2), 'o'));
    for (std::size_t n = choose_.below(4); n > 0; --n) label(made, pick({"region", "tier", "host"}));
    if (choose_.chance(2))
      for (std::size_t n = 30 + choose_.below(4); n > 0; --n) label(made, "n" + std::to_string(n));
    if (choose_.chance(2)) label(made, std::string(256 + choose_.below(2), 'k'));
  }
  void label(v2::TelemetryEvent& event, const std::string& key) {
    auto& made = *event.add_labels();
    made.set_key(key);
    made.set_value(choose_.chance(50) ? pick({"eu", "us", "gold"}) : std::to_string(choose_.below(1000)));
  }
  std::uint64_t time(const NaiveContext& context) {
    constexpr std::int64_t day_ns = 24 * 3'600 * ns_per_s;
    const std::int64_t now_ns = context.ledger_now_ms * ns_per_ms + context.skew_ns;
    const std::int64_t hour_ns = now_ns - context.ledger_now_ms % 3'600'000 * ns_per_ms;
    switch (choose_.below(8)) {
      case 0:
        return choose_.bits(8);
      case 1:
        return static_cast<std::uint64_t>(hour_ns - 30 * day_ns - static_cast<std::int64_t>(choose_.below(3)) + 1);
      case 2:
        return static_cast<std::uint64_t>(now_ns + 10 * ns_per_s + static_cast<std::int64_t>(choose_.below(3)) - 1);
      case 3:
        return static_cast<std::uint64_t>(now_ns - static_cast<std::int64_t>(choose_.below(31)) * day_ns);
      default:
        return static_cast<std::uint64_t>(now_ns - static_cast<std::int64_t>(choose_.below(40)) * ns_per_s);
    }
  }
  Choices& choose_;
};

}  // namespace nissa::test
