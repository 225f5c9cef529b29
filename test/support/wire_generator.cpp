#include "support/wire_generator.hpp"

#include <google/protobuf/descriptor.h>

#include <array>
#include <string>
#include <vector>

namespace nissa::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void fill_field(Message& message, const FieldDescriptor& field, Choices& choose) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.SetUInt64(&message, &field, some_number(choose));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, static_cast<std::int64_t>(some_number(choose)));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.SetUInt32(&message, &field, static_cast<std::uint32_t>(some_number(choose)));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.SetBool(&message, &field, choose.chance(50));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.SetDouble(&message, &field, static_cast<double>(choose.bits(8)) / 3.0);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      return reflection.SetEnum(&message, &field,
                                type.value(static_cast<int>(choose.below(static_cast<unsigned>(type.value_count())))));
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.SetString(&message, &field, some_text(choose));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!field.is_repeated()) return fill(*reflection.MutableMessage(&message, &field), choose);
      for (std::uint64_t count = 1 + choose.below(4); count > 0; --count)
        fill(*reflection.AddMessage(&message, &field), choose);
      return;
    default:
      GOOGLE_LOG(FATAL) << "the schema has a new type of field: " << field.full_name();
  }
}

}  // namespace

std::string some_text(Choices& choose) {
  static const std::array<std::string, 10> texts{"checkout",
                                                 "",
                                                 "a",
                                                 "GET /v2/orders/:id",
                                                 "\xc3\xa9t\xc3\xa9",
                                                 "\xe6\x97\xa5\xe6\x9c\xac",
                                                 "\xf0\x9f\x9a\x80",
                                                 std::string(130, 'x'),
                                                 std::string(1, '\0'),
                                                 "seven77"};
  return texts[choose.below(texts.size())] + (choose.chance(20) ? texts[choose.below(texts.size())] : "");
}

std::uint64_t some_number(Choices& choose) {
  static constexpr std::array<std::uint64_t, 9> edges{
      1, 0, 127, 128, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff};
  return choose.chance(30) ? choose.bits(8) : edges[choose.below(edges.size())];
}

void fill(Message& message, Choices& choose) {
  const Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.oneof_decl_count(); ++i) {
    const auto& oneof = *type.oneof_decl(i);
    const auto chosen = static_cast<int>(choose.below(static_cast<unsigned>(oneof.field_count())));
    fill_field(message, *oneof.field(chosen), choose);
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.containing_oneof() != nullptr) continue;
    if (field.is_required() || choose.chance(60)) fill_field(message, field, choose);
  }
}

v2::TelemetryBatch make_batch(Choices& choose) {
  v2::TelemetryBatch batch;
  fill(batch, choose);
  if (batch.events_size() == 0) fill(*batch.add_events(), choose);
  batch.set_priority(static_cast<v2::Priority>(1 + choose.below(4)));
  batch.set_event_count(static_cast<std::uint32_t>(batch.events_size() + batch.metrics_size() + batch.alerts_size()));
  if (batch.agent().size() > 96) batch.set_agent("agent");
  if (choose.chance(20)) {  // without a key: HTTP allows it
    batch.clear_epoch();
    batch.clear_sequence();
    batch.clear_settled_below();
    batch.clear_epoch_seen();
    return batch;
  }
  batch.set_epoch(batch.epoch() | 1);
  batch.set_sequence(batch.sequence() | 1);
  batch.set_settled_below(choose.chance(50) ? batch.sequence() : batch.sequence() / 2);
  if (!batch.has_epoch_seen()) fill(*batch.mutable_epoch_seen(), choose);
  return batch;
}

Bytes encoded(const Message& message) {
  Bytes bytes(message.ByteSizeLong());
  message.SerializePartialToArray(bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

}  // namespace nissa::test
