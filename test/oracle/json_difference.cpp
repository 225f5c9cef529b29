#include "oracle/json_difference.hpp"
#include "oracle/literal_utf8.hpp"

#include <google/protobuf/util/json_util.h>

#include "wire/json_batch.hpp"

namespace nissa::test {
namespace {

constexpr std::uint32_t max_events = 1000;

void forget_signs_of_zero(v2::TelemetryBatch& batch) {
  for (auto& metric : *batch.mutable_metrics())
    if (metric.has_value() && metric.value() == 0) metric.set_value(0);
}

std::string fault_difference(const wire::JsonFault& fault, std::string_view text) {
  if (fault.reason == Reason::none || fault.offset > text.size()) return "no reason, or outside";
  if (!fault.message.starts_with("expected ")) return "no expectation: " + fault.message;
  if (fault.message.size() > 1024 || fault.field.size() > 256) return "a long message: " + fault.message;
  if (!literal_utf8(fault.message) || !literal_utf8(fault.field)) return "a message that is no text";
  return {};
}

}  // namespace

std::string normalised(v2::TelemetryBatch batch) {
  if (!batch.has_priority()) batch.set_priority(v2::NORMAL);
  batch.set_event_count(static_cast<std::uint32_t>(batch.events_size() + batch.metrics_size() + batch.alerts_size()));
  return batch.SerializeAsString();
}

std::string json_difference(std::string_view text, Agreement& agreement) {
  ++agreement.inputs;
  const auto read = wire::batch_from_json(text, max_events);
  if (!read) return fault_difference(read.error(), text);
  v2::TelemetryBatch literal;
  const auto status = google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &literal);
  if (!status.ok()) return "only we accept; protobuf: " + std::string(status.message());
  ++agreement.accepted;
  if (read->bytes.size() > text.size() + wire::json_batch_growth) return "more bytes than promised";
  if (read->bytes.capacity() > text.size() + 64) return "more memory than promised";
  auto ours = literal_batch(read->bytes);
  if (!ours) return "what we made is no canonical batch";
  if (normalised(literal) == as_text(read->bytes)) return {};
  forget_signs_of_zero(literal);
  forget_signs_of_zero(*ours);
  if (normalised(literal) == ours->SerializeAsString()) return {};
  return "another meaning: ours\n" + ours->ShortDebugString() + "\nprotobuf's\n" + literal.ShortDebugString();
}

}  // namespace nissa::test
