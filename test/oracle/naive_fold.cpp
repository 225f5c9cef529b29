#include "oracle/naive_fold.hpp"

#include <algorithm>
#include <optional>

namespace nissa::test {
namespace {

constexpr std::size_t most_name_bytes = 256;
constexpr int most_labels = 32;
constexpr std::size_t most_request_id_bytes = 64;
constexpr std::int64_t hour_ms = 3'600'000;

std::optional<EventFault> fault_of(const v2::TelemetryEvent& event) {
  if (event.service().empty()) return EventFault::no_service;
  if (event.labels_size() > most_labels) return EventFault::too_many_labels;
  bool too_long = event.service().size() > most_name_bytes || event.operation().size() > most_name_bytes;
  for (const auto& label : event.labels())
    too_long = too_long || label.key().size() > most_name_bytes || label.value().size() > most_name_bytes;
  if (too_long) return EventFault::name_too_long;
  if (event.request_id().size() > most_request_id_bytes) return EventFault::request_id_too_long;
  return std::nullopt;
}

bool selected(const slo::Selector& selector, const v2::TelemetryEvent& event) {
  if (!naive_glob(selector.service, event.service()) || !naive_glob(selector.operation, event.operation()))
    return false;
  return std::ranges::all_of(selector.labels, [&](const slo::LabelGlob& wanted) {
    return std::ranges::any_of(event.labels(), [&](const v2::Label& label) {
      return label.key() == wanted.key && naive_glob(wanted.glob, label.value());
    });
  });
}

// slo-math: what is good. nullopt: not counted.
std::optional<bool> good(const slo::Criterion& rule, const v2::TelemetryEvent& event) {
  const auto outcome = static_cast<slo::Outcome>(event.outcome());
  if (rule.ignore.has(outcome)) return std::nullopt;
  if (rule.kind == slo::SliKind::availability) return rule.good.has(outcome);
  const bool failures_count = rule.failures == slo::Failures::bad;
  const bool fine = failures_count ? rule.good.has(outcome) : outcome == slo::Outcome::ok;
  if (!fine) return failures_count ? std::optional(false) : std::nullopt;
  if (!event.has_duration_ns() || event.duration_ns() == ~std::uint64_t{0}) return std::nullopt;
  return event.duration_ns() <= static_cast<std::uint64_t>(rule.threshold_ns);
}

}  // namespace

bool naive_glob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return naive_glob(pattern.substr(1), text) || (!text.empty() && naive_glob(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) && naive_glob(pattern.substr(1), text.substr(1));
}

NaiveFold naive_fold(const v2::TelemetryBatch& batch, const std::vector<slo::Rule>& rules,
                     const NaiveContext& context) {
  NaiveFold result;
  for (const auto& event : batch.events()) {
    if (const auto fault = fault_of(event)) {
      ++result.rejected[static_cast<std::size_t>(*fault) - 1];
      continue;
    }
    __int128 time_ns = static_cast<__int128>(context.arrival_ms) * ns_per_ms;
    if (event.has_time_unix_ns()) time_ns = static_cast<__int128>(event.time_unix_ns()) - context.skew_ns;
    const std::int64_t oldest_ms = context.ledger_now_ms / hour_ms * hour_ms - 30 * 24 * hour_ms;
    if (time_ns > static_cast<__int128>(context.ledger_now_ms + 10'000) * ns_per_ms) {
      ++result.rejected[static_cast<std::size_t>(EventFault::in_the_future) - 1];
      continue;
    }
    if (time_ns < static_cast<__int128>(oldest_ms) * ns_per_ms) {
      ++result.late;
      continue;
    }
    ++result.accepted;
    const auto bucket = static_cast<Bucket>(time_ns / (static_cast<__int128>(10) * ns_per_s));
    std::uint32_t matched = 0;
    for (const slo::Rule& rule : rules) {
      if (!selected(rule.sli.selector, event)) continue;
      if (++matched > 64) {
        ++result.fanout_dropped;
        continue;
      }
      const auto verdict = good(rule.sli.criterion, event);
      if (!verdict) continue;
      auto& counts = result.counts[{rule.slo, bucket}];
      ++counts.total;
      counts.good += *verdict ? 1 : 0;
    }
    result.unmatched += matched == 0 ? 1 : 0;
  }
  return result;
}

}  // namespace nissa::test
