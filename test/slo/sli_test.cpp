#include "slo/sli.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nissa::slo;

namespace {

Criterion latency(std::int64_t threshold_ns, Failures failures = Failures::ignored) {
  Criterion criterion;
  criterion.kind = SliKind::latency;
  criterion.threshold_ns = threshold_ns;
  criterion.failures = failures;
  return criterion;
}

}  // namespace

TEST_CASE("availability: errors and timeouts are bad, the client's own errors are good, cancelled is not counted") {
  const Criterion criterion;
  for (const std::int64_t duration : {no_duration, std::int64_t{0}, std::int64_t{1'000'000'000'000}}) {
    CHECK(verdict_of(criterion, Outcome::ok, duration) == Verdict::good);
    CHECK(verdict_of(criterion, Outcome::client_error, duration) == Verdict::good);
    CHECK(verdict_of(criterion, Outcome::error, duration) == Verdict::bad);
    CHECK(verdict_of(criterion, Outcome::timeout, duration) == Verdict::bad);
    CHECK(verdict_of(criterion, Outcome::cancelled, duration) == Verdict::ignored);
  }
}

TEST_CASE("availability: good and ignore can be chosen, and ignore wins") {
  Criterion criterion;
  criterion.good = {Outcome::ok, Outcome::timeout};
  criterion.ignore = {Outcome::timeout};
  CHECK(verdict_of(criterion, Outcome::timeout, no_duration) == Verdict::ignored);
  CHECK(verdict_of(criterion, Outcome::client_error, no_duration) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::cancelled, no_duration) == Verdict::bad);
}

TEST_CASE("latency: counted are OK events with a duration, good at most the threshold") {
  const Criterion criterion = latency(100);
  CHECK(verdict_of(criterion, Outcome::ok, 100) == Verdict::good);
  CHECK(verdict_of(criterion, Outcome::ok, 101) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::ok, 0) == Verdict::good);
  CHECK(verdict_of(criterion, Outcome::ok, no_duration) == Verdict::ignored);
  for (const Outcome outcome : {Outcome::error, Outcome::timeout, Outcome::client_error, Outcome::cancelled}) {
    CHECK(verdict_of(criterion, outcome, 1) == Verdict::ignored);
  }
}

TEST_CASE(
    "latency with failures = bad: failures are bad however fast, also without a duration; what is good is timed") {
  const Criterion criterion = latency(100, Failures::bad);
  CHECK(verdict_of(criterion, Outcome::ok, 101) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::error, 1) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::timeout, no_duration) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::client_error, 1) == Verdict::good);
  CHECK(verdict_of(criterion, Outcome::client_error, 101) == Verdict::bad);
  CHECK(verdict_of(criterion, Outcome::client_error, no_duration) == Verdict::ignored);
  CHECK(verdict_of(criterion, Outcome::cancelled, 1) == Verdict::ignored);
}

TEST_CASE("the identity of an SLI is what it counts, not how it is written") {
  Sli sli;
  sli.selector = {"checkout", "GET /*", {{"region", "eu-*"}, {"env", "prod"}}};
  Sli other = sli;
  std::ranges::reverse(other.selector.labels);
  other.selector.labels.push_back({"env", "prod"});
  other.criterion.threshold_ns = 5;              // availability has no threshold
  other.criterion.good.add(Outcome::cancelled);  // ignored all the same
  CHECK(identity_hash(sli) == identity_hash(other));
}

TEST_CASE("anything that changes what is counted changes the identity") {
  Sli base;
  base.criterion = latency(100);
  base.selector = {"a", "b", {{"k", "v"}}};
  std::vector<Sli> variants(9, base);
  variants[1].criterion.threshold_ns = 101;
  variants[2].criterion.failures = Failures::bad;
  variants[3].criterion.kind = SliKind::availability;
  variants[4].criterion.ignore = {};
  variants[5].selector.service = "ab";
  variants[5].selector.operation = "";
  variants[6].selector.operation = "*";
  variants[7].selector.labels = {};
  variants[8].selector.labels = {{"kv", ""}};
  std::vector<std::uint64_t> hashes;
  for (const Sli& sli : variants) hashes.push_back(identity_hash(sli));
  std::ranges::sort(hashes);
  CHECK(std::ranges::adjacent_find(hashes) == hashes.end());
}

TEST_CASE("the hash stands in journals: it is the same for ever") {
  Sli sli;
  sli.selector = {"checkout", "*", {{"env", "prod"}}};
  CHECK(identity_hash(sli) == 3819445436963791930u);
  sli.criterion = latency(250'000'000, Failures::bad);
  CHECK(identity_hash(sli) == 1343929174279002074u);
}
