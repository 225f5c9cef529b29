#include "oracle/walk_difference.hpp"

#include <optional>
#include <variant>
#include <vector>

#include "wire/canonical_walk.hpp"
#include "wire/event_walk.hpp"
#include "wire/header_peek.hpp"

namespace nissa::test {
namespace {

struct FastBatch {
  wire::BatchHeader header;
  wire::BodyCounts counts;
  std::vector<wire::EventView> events;
  std::vector<wire::Identity> identities;
};
struct Refused {
  wire::Malformed why;
  bool by_walk = false;  // not by the header
};

std::variant<FastBatch, Refused> fast_batch(ByteView bytes) {
  const auto header = wire::peek_header(bytes);
  if (!header) return Refused{header.error()};
  FastBatch batch{*header, {}, {}, {}};
  wire::BodyWalk walk(bytes, *header);
  for (wire::EventView event; walk.next(event);) {
    auto identity = wire::prove_identity(event.identity);
    if (!identity) return Refused{walk.explain(), true};
    batch.events.push_back(event);
    batch.identities.push_back(std::move(*identity));
  }
  const auto counts = walk.finish();
  if (!counts) return Refused{counts.error(), true};
  batch.counts = *counts;
  return batch;
}

std::string header_difference(const wire::BatchHeader& read, const v2::TelemetryBatch& literal) {
  if (read.keyed != literal.has_epoch()) return "keyed";
  if (read.epoch != literal.epoch() || read.sequence != literal.sequence()) return "epoch or sequence";
  if (read.settled_below != literal.settled_below()) return "settled_below";
  if (static_cast<int>(read.priority) != literal.priority()) return "priority";
  if (read.event_count != literal.event_count()) return "event_count";
  if (read.sent_at_unix_ns != literal.sent_at_unix_ns()) return "sent_at_unix_ns";
  if (read.agent != literal.agent()) return "agent";
  if (read.dropped_events != literal.dropped_events()) return "dropped_events";
  if (read.epoch_seen.state_id != literal.epoch_seen().state_id()) return "state_id";
  if (read.epoch_seen.running_ms != literal.epoch_seen().running_ms()) return "running_ms";
  return {};
}

std::string event_difference(const wire::EventView& read, const wire::Identity& identity,
                             const v2::TelemetryEvent& literal) {
  if (read.has_time != literal.has_time_unix_ns()) return "whether a time is there";
  if (read.has_time && read.time_unix_ns != literal.time_unix_ns()) return "time";
  if (read.duration_ns != (literal.has_duration_ns() ? literal.duration_ns() : wire::no_duration)) return "duration";
  if (static_cast<int>(read.outcome) != literal.outcome()) return "outcome";
  if (read.request_id_size != literal.request_id().size()) return "request_id";
  if (identity.service != literal.service() || identity.operation != literal.operation()) return "service, operation";
  if (identity.labels.size() != static_cast<std::size_t>(literal.labels_size())) return "number of labels";
  for (int i = 0; i < literal.labels_size(); ++i) {
    const wire::LabelView& label = identity.labels[static_cast<std::size_t>(i)];
    if (label.key != literal.labels(i).key() || label.value != literal.labels(i).value()) return "a label";
  }
  return {};
}

std::string batch_values_difference(const FastBatch& read, const v2::TelemetryBatch& literal) {
  if (std::string what = header_difference(read.header, literal); !what.empty()) return "header: " + what;
  if (read.counts.events != static_cast<std::uint32_t>(literal.events_size()) ||
      read.counts.metrics != static_cast<std::uint32_t>(literal.metrics_size()) ||
      read.counts.alerts != static_cast<std::uint32_t>(literal.alerts_size())) {
    return "counts";
  }
  for (int i = 0; i < literal.events_size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    std::string what = event_difference(read.events[at], read.identities[at], literal.events(i));
    if (!what.empty()) return "event " + std::to_string(i) + ": " + what;
  }
  return {};
}

std::string text_of(const wire::Malformed& why) {
  return std::string(name_of(why.reason)) + " at " + std::to_string(why.offset) + " in '" + why.field + "'";
}

// A refusal must be explained: by the reason, place and field that the table walk gives; only counts and the rules of
// the header are not its business.
std::string explanation_difference(const Refused& refused, ByteView bytes) {
  if (refused.why.reason == Reason::none || refused.why.offset > bytes.size()) return "no reason, or outside";
  const auto proof = wire::prove_canonical(wire::schema::telemetry_batch, bytes);
  if (!refused.by_walk || refused.why.reason == Reason::event_count_wrong) return {};
  if (proof) return "refused, but canonical: " + text_of(refused.why);
  if (proof.error() != refused.why) return text_of(refused.why) + " but " + text_of(proof.error());
  return {};
}

}  // namespace

std::string message_difference(const wire::MessageRule& rule, google::protobuf::Message& prototype, ByteView bytes,
                               Agreement& agreement) {
  const auto proof = wire::prove_canonical(rule, bytes);
  const std::string fault = literal_fault(prototype, bytes);
  ++agreement.inputs;
  if (proof && fault.empty()) ++agreement.accepted;
  if (proof.has_value() == fault.empty()) return {};
  return std::string(rule.name) + ": walk says " + (proof ? "canonical" : text_of(proof.error())) +
         ", literal decode says " + (fault.empty() ? "canonical" : fault);
}

std::string batch_difference(ByteView bytes, Agreement& agreement) {
  const auto read = fast_batch(bytes);
  const auto literal = literal_batch(bytes);
  ++agreement.inputs;
  if (const auto* refused = std::get_if<Refused>(&read)) {
    if (literal) return "only the literal decode accepts; walk: " + text_of(refused->why);
    return explanation_difference(*refused, bytes);
  }
  if (!literal) return "only the walk accepts";
  ++agreement.accepted;
  return batch_values_difference(std::get<FastBatch>(read), *literal);
}

}  // namespace nissa::test
