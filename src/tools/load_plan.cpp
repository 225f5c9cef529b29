#include "tools/load_plan.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "wire/event_writer.hpp"

namespace nissa::tools {
namespace {

constexpr std::array<std::uint64_t, 8> durations_ms{1, 8, 20, 45, 90, 200, 450, 900};
constexpr std::size_t failure_class = 8;
// None within 2 ms above a duration, for a little is added to each.
constexpr std::array<std::uint64_t, 15> thresholds_ms{150, 15, 60, 300, 5, 30, 600, 151, 16, 61, 301, 6, 31, 601, 7};
constexpr std::uint32_t look_ahead = 8;  // identities fetched into the cache before they are needed
constexpr std::uint64_t marker = 0x5AA5'5AA5'5AA5'5AA5;
constexpr std::uint64_t minute_ns = 60ULL * ns_per_s;
constexpr std::uint64_t days_ns = 29ULL * 86'400 * ns_per_s;

// SplitMix64 (Steele, Lea, Flood 2014), by Vigna's constants: any number → an unlike one.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31);
}

// [0, n): the high half of the product.
std::uint64_t scaled(std::uint64_t bits, std::uint64_t n) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(bits) * n) >> 64);
}

std::string padded(std::uint64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

std::string service_name(std::uint64_t service) { return "load-service-" + padded(service, 5); }
std::string slo_name(std::uint64_t service, std::uint32_t which) {
  return "load-" + padded(service, 5) + "-" + padded(which, 2);
}

void append_series(Bytes& out, std::uint64_t series, const LoadShape& shape) {
  constexpr std::array<std::string_view, 8> keys{"region", "zone", "host", "version",
                                                 "method", "tier", "team", "build"};
  std::vector<std::string> values;
  for (std::uint32_t i = 0; i < shape.labels; ++i)
    values.push_back(std::string(keys[i]) + "-" + padded(mixed(series * 8 + i) % 1'000, 4));
  std::vector<wire::LabelView> labels;
  for (std::uint32_t i = 0; i < shape.labels; ++i) labels.push_back({keys[i], values[i]});
  wire::append_identity(out, service_name(series % shape.services), "GET /items/" + padded(series, 7), labels);
}

void store(Byte* at, std::uint64_t value) { std::memcpy(at, &value, sizeof value); }

}  // namespace

LoadPlan::LoadPlan(LoadShape shape) : shape_(shape) {
  append_series(identities_, 0, shape_);
  identity_size_ = static_cast<std::uint32_t>(identities_.size());
  identities_.reserve(static_cast<std::size_t>(identity_size_) * shape_.series);
  for (std::uint64_t i = 1; i < shape_.series; ++i) append_series(identities_, i, shape_);
  ok_ = make_head(false);
  failed_ = make_head(true);
  // With a step that has no divisor in common with their number, a walk comes by all series before any comes again.
  for (std::uint64_t i = 0; i < steps_.size(); ++i) {
    std::uint64_t step = 1 + scaled(mixed(i), shape_.series);
    while (std::gcd(step, std::uint64_t{shape_.series}) != 1) ++step;
    steps_[i] = static_cast<std::uint32_t>(step % shape_.series);
  }
}

LoadPlan::Head LoadPlan::make_head(bool failure) const {
  const ByteView identity = ByteView(identities_).first(identity_size_);
  Bytes event;
  wire::EventHead parts;
  parts.time_unix_ns = marker;
  parts.duration_ns = ~marker;
  parts.outcome = failure ? wire::EventOutcome::error : wire::EventOutcome::ok;
  wire::append_event(event, parts, identity);
  const auto where = [&event](std::uint64_t number) {
    std::array<Byte, 8> bytes;
    store(bytes.data(), number);
    return static_cast<std::uint32_t>(std::search(event.begin(), event.end(), bytes.begin(), bytes.end()) -
                                      event.begin());
  };
  Head head;
  head.size = static_cast<std::uint32_t>(event.size());
  head.head_size = head.size - identity_size_;
  head.time_at = where(marker);
  head.duration_at = where(~marker);
  std::copy_n(event.begin(), head.head_size, head.bytes.begin());
  return head;
}

// Of the events [first, first + count): those whose number + 1 is a multiple of failure_every.
std::uint64_t LoadPlan::failures_in(std::uint64_t first_event, std::uint64_t count) const {
  if (shape_.failure_every == 0) return 0;
  return (first_event + count) / shape_.failure_every - first_event / shape_.failure_every;
}

std::uint32_t LoadPlan::body_size(const PlannedBatch& batch) const {
  const std::uint64_t failures = failures_in(batch.number * shape_.batch_events, shape_.batch_events);
  return static_cast<std::uint32_t>((shape_.batch_events - failures) * ok_.size + failures * failed_.size);
}

void LoadPlan::append_body(const PlannedBatch& batch, Bytes& out, LoadTally* tally) const {
  const std::size_t begin = out.size();
  out.resize(begin + body_size(batch) + sizeof ok_.bytes);  // a head is copied whole, and may reach beyond
  Byte* at = out.data() + begin;
  std::uint64_t random = mixed(batch.number);
  const std::uint32_t n = shape_.batch_events;
  auto series = static_cast<std::uint32_t>(scaled(random, shape_.series));
  const std::uint32_t step = steps_[mixed(random) % steps_.size()];
  const auto after = [this](std::uint32_t from, std::uint32_t by) {
    return from >= shape_.series - by ? from - (shape_.series - by) : from + by;
  };
  std::uint32_t ahead = series;
  for (std::uint32_t i = 0; i < look_ahead; ++i) ahead = after(ahead, step);
  std::uint64_t to_failure = ~0ULL;
  if (shape_.failure_every > 0) to_failure = shape_.failure_every - 1 - batch.number * n % shape_.failure_every;
  const std::uint64_t span = shape_.disorder == Disorder::days ? days_ns : minute_ns;
  for (std::uint32_t i = 0; i < n; ++i) {
    random = random * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;  // Knuth's MMIX; high bits are good
    const bool failure = to_failure == i;
    if (failure) to_failure += shape_.failure_every;
    const Head& head = failure ? failed_ : ok_;
    const std::uint64_t age = shape_.disorder == Disorder::sorted ? (n - i) * 1'000ULL : scaled(random, span);
    const std::size_t duration = random >> 61;
    std::memcpy(at, head.bytes.data(), head.bytes.size());
    store(at + head.time_at, static_cast<std::uint64_t>(batch.base_time) - age);
    store(at + head.duration_at, durations_ms[duration] * 1'000'000 + (random >> 40 & 0xF'FFFF));
    std::memcpy(at + head.head_size, identities_.data() + std::size_t{series} * identity_size_, identity_size_);
    at += head.size;
    if (tally != nullptr) ++(*tally)[series % shape_.services][failure ? failure_class : duration];
    series = after(series, step);
    ahead = after(ahead, step);
    for (std::uint32_t line = 0; line < identity_size_; line += 64)
      __builtin_prefetch(identities_.data() + std::size_t{ahead} * identity_size_ + line);
  }
  out.resize(out.size() - sizeof ok_.bytes);
}

std::vector<ExpectedSlo> LoadPlan::expected(const LoadTally& tally) const {
  std::vector<ExpectedSlo> all;
  for (std::uint64_t service = 0; service < shape_.services; ++service) {
    const auto& counts = tally[service];
    const std::uint64_t total = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    for (std::uint32_t which = 0; which < shape_.slos_per_event; ++which) {
      ExpectedSlo one{slo_name(service, which), 0, total};
      for (std::size_t i = 0; i < durations_ms.size(); ++i)
        if (which == 0 || durations_ms[i] < thresholds_ms[which - 1]) one.good += counts[i];
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::string LoadPlan::slo_configuration() const {
  std::string text;
  for (std::uint64_t service = 0; service < shape_.services; ++service) {
    for (std::uint32_t which = 0; which < shape_.slos_per_event; ++which) {
      text += "[[slo]]\nname = \"" + slo_name(service, which) + "\"\nservice = \"" + service_name(service) + "\"\n";
      if (which == 0)
        text += "sli = \"availability\"\nobjective = \"99.9 %\"\n\n";
      else
        text += "sli = \"latency\"\nthreshold = \"" + std::to_string(thresholds_ms[which - 1]) +
                "ms\"\nfailures = \"bad\"\nobjective = \"99 %\"\n\n";
    }
  }
  return text;
}

}  // namespace nissa::tools
