#include "oracle/literal_decode.hpp"
#include "oracle/literal_utf8.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <vector>

namespace nissa::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;

// Its last field's number; fields of a descriptor stand in the order of the file.
int highest_number(const Descriptor& type) {
  int highest = 0;
  for (int i = 0; i < type.field_count(); ++i) highest = std::max(highest, type.field(i)->number());
  return highest;
}

// An enum value that is not known is an unknown field for proto2, under its field's number: caught here too.
std::string unknown_fault(const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  int before = highest_number(*message.GetDescriptor()) + 1;
  for (int i = 0; i < unknown.field_count(); ++i) {
    if (unknown.field(i).type() == UnknownField::TYPE_GROUP) return "a group";
    if (unknown.field(i).number() < before) return "unknown field " + std::to_string(unknown.field(i).number());
    before = unknown.field(i).number();
  }
  return {};
}

std::string inner_fault(const Message& message);

std::string field_fault(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : reflection.HasField(message, &field);
  for (int i = 0; i < count; ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string text = field.is_repeated() ? reflection.GetRepeatedString(message, &field, i)
                                                   : reflection.GetString(message, &field);
      if (!literal_utf8(text)) return "UTF-8 of " + field.full_name();
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::string fault = inner_fault(field.is_repeated() ? reflection.GetRepeatedMessage(message, &field, i)
                                                                : reflection.GetMessage(message, &field));
      if (!fault.empty()) return fault;
    }
  }
  return {};
}

std::string inner_fault(const Message& message) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    std::string fault = field_fault(message, *message.GetDescriptor()->field(i));
    if (!fault.empty()) return fault;
  }
  return unknown_fault(message);
}

std::size_t header_size(v2::TelemetryBatch batch) {
  batch.clear_events();
  batch.clear_metrics();
  batch.clear_alerts();
  batch.mutable_unknown_fields()->Clear();
  return batch.ByteSizeLong();
}

bool header_fits(const v2::TelemetryBatch& batch) {
  const int key_fields = batch.has_epoch() + batch.has_sequence() + batch.has_settled_below() + batch.has_epoch_seen();
  if (key_fields != 0 && key_fields != 4) return false;
  if (!batch.has_priority() || !batch.has_event_count()) return false;
  if (key_fields == 4 && (batch.epoch() == 0 || batch.sequence() == 0)) return false;
  if (batch.settled_below() > batch.sequence() || batch.agent().size() > 96) return false;
  const auto found = static_cast<std::uint64_t>(batch.events_size()) +
                     static_cast<std::uint64_t>(batch.metrics_size()) + static_cast<std::uint64_t>(batch.alerts_size());
  return found == batch.event_count() && header_size(batch) <= 256;
}

}  // namespace

std::string literal_fault(Message& message, ByteView bytes) {
  message.Clear();
  if (!message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "not decodable";
  if (!message.IsInitialized()) return "missing: " + message.InitializationErrorString();
  if (message.SerializeAsString() != as_text(bytes)) return "re-encodes otherwise";
  return inner_fault(message);
}

std::optional<v2::TelemetryBatch> literal_batch(ByteView bytes) {
  v2::TelemetryBatch batch;
  if (!literal_fault(batch, bytes).empty() || !header_fits(batch)) return std::nullopt;
  return batch;
}

}  // namespace nissa::test
