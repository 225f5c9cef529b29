// The tables of src/wire/schema.cpp against the descriptors of the generated code, and the rules for the schema itself.
#include "wire/schema.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/priority.hpp"
#include "base/refusal.hpp"
#include "nissa.pb.h"
#include "wire/event_walk.hpp"
#include "wire/json_decoder.hpp"
#include "wire/messages.hpp"

using namespace nissa;
using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;

namespace {

const FileDescriptor& file() { return *v2::TelemetryBatch::descriptor()->file(); }

void collect(const Descriptor& type, std::vector<const Descriptor*>& all) {
  all.push_back(&type);
  for (int i = 0; i < type.nested_type_count(); ++i) collect(*type.nested_type(i), all);
}

std::vector<const Descriptor*> all_types() {
  std::vector<const Descriptor*> all;
  for (int i = 0; i < file().message_type_count(); ++i) collect(*file().message_type(i), all);
  return all;
}

// A type that the walk does not know fails the test.
wire::FieldType type_of(const FieldDescriptor& field) {
  static const std::map<FieldDescriptor::Type, wire::FieldType> types{
      {FieldDescriptor::TYPE_FIXED64, wire::FieldType::fixed64},
      {FieldDescriptor::TYPE_DOUBLE, wire::FieldType::float64},
      {FieldDescriptor::TYPE_UINT64, wire::FieldType::uint64},
      {FieldDescriptor::TYPE_UINT32, wire::FieldType::uint32},
      {FieldDescriptor::TYPE_SINT64, wire::FieldType::sint64},
      {FieldDescriptor::TYPE_BOOL, wire::FieldType::boolean},
      {FieldDescriptor::TYPE_ENUM, wire::FieldType::enumeration},
      {FieldDescriptor::TYPE_STRING, wire::FieldType::text},
      {FieldDescriptor::TYPE_MESSAGE, wire::FieldType::message},
  };
  const auto found = types.find(field.type());
  REQUIRE_MESSAGE(found != types.end(), "the walk knows no such type: " << field.full_name());
  return found->second;
}

wire::FieldLabel label_of(const FieldDescriptor& field) {
  if (field.is_repeated()) return wire::FieldLabel::repeated;
  return field.is_required() ? wire::FieldLabel::required : wire::FieldLabel::optional;
}

std::vector<std::uint32_t> values_of(const EnumDescriptor& type) {
  std::vector<std::uint32_t> values;
  for (int i = 0; i < type.value_count(); ++i) values.push_back(static_cast<std::uint32_t>(type.value(i)->number()));
  std::ranges::sort(values);
  return values;
}

std::string lower(std::string name) {
  for (char& letter : name) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return name;
}

void compare(const wire::FieldRule& rule, const FieldDescriptor& field) {
  CAPTURE(field.full_name());
  CHECK(static_cast<int>(rule.number) == field.number());
  CHECK(std::string(rule.name) == field.name());
  CHECK(rule.type == type_of(field));
  CHECK(rule.label == label_of(field));
  REQUIRE((rule.enumeration != nullptr) == (field.enum_type() != nullptr));
  REQUIRE((rule.message != nullptr) == (field.message_type() != nullptr));
  if (rule.message != nullptr) CHECK(std::string(rule.message->name) == field.message_type()->name());
  if (rule.enumeration == nullptr) return;
  CHECK(std::string(rule.enumeration->name) == field.enum_type()->name());
  CHECK(std::ranges::equal(rule.enumeration->values, values_of(*field.enum_type())));
  REQUIRE(rule.enumeration->value_names.size() == rule.enumeration->values.size());
  for (std::size_t i = 0; i < rule.enumeration->values.size(); ++i) {
    const auto* value = field.enum_type()->FindValueByNumber(static_cast<int>(rule.enumeration->values[i]));
    CHECK(std::string(rule.enumeration->value_names[i]) == value->name());
  }
}

}  // namespace

TEST_CASE("the schema is proto2 and has no map, no group, no extension") {
  REQUIRE(file().syntax() == FileDescriptor::SYNTAX_PROTO2);
  CHECK(file().dependency_count() == 0);
  CHECK(file().extension_count() == 0);
  for (const Descriptor* type : all_types()) {
    CAPTURE(type->full_name());
    CHECK(type->file()->syntax() == FileDescriptor::SYNTAX_PROTO2);
    CHECK_FALSE(type->options().map_entry());
    CHECK(type->extension_range_count() == 0);
    for (int i = 0; i < type->field_count(); ++i) {
      CAPTURE(type->field(i)->full_name());
      CHECK_FALSE(type->field(i)->is_map());
      CHECK_FALSE(type->field(i)->is_packed());
      CHECK(type->field(i)->type() != FieldDescriptor::TYPE_GROUP);
    }
  }
}

TEST_CASE("the tables of the walk say what the descriptors say") {
  const auto types = all_types();
  REQUIRE(wire::all_message_rules().size() == types.size());
  for (const Descriptor* type : types) {
    CAPTURE(type->full_name());
    const auto rules = wire::all_message_rules();
    const auto found = std::ranges::find_if(rules, [&](const auto* rule) { return rule->name == type->name(); });
    REQUIRE(found != rules.end());
    const wire::MessageRule& rule = **found;
    REQUIRE(static_cast<int>(rule.fields.size()) == type->field_count());
    CHECK(std::ranges::is_sorted(rule.fields, {}, &wire::FieldRule::number));
    for (const wire::FieldRule& field : rule.fields) {
      const auto* known = type->FindFieldByNumber(static_cast<int>(field.number));
      REQUIRE(known != nullptr);
      compare(field, *known);
      CHECK((known->containing_oneof() != nullptr) == rule.one_of);
    }
    CHECK(type->oneof_decl_count() == (rule.one_of ? 1 : 0));
  }
}

TEST_CASE("every closed list of the wire has the numbers of its enum in the code") {
  const auto reasons = all_reasons();
  REQUIRE(static_cast<int>(reasons.size()) == v2::Reason_descriptor()->value_count());
  for (const Reason reason : reasons) {
    const auto* value = v2::Reason_descriptor()->FindValueByNumber(static_cast<int>(reason));
    REQUIRE(value != nullptr);
    CHECK(lower(value->name()) == std::string(name_of(reason)));
  }
  for (std::size_t fault = 1; fault <= event_fault_count; ++fault) {
    const auto* value = v2::EventFault_descriptor()->FindValueByNumber(static_cast<int>(fault));
    REQUIRE(value != nullptr);
    CHECK(lower(value->name()) == std::string(name_of(static_cast<EventFault>(fault))));
  }
  CHECK(event_fault_count == static_cast<std::size_t>(v2::EventFault_descriptor()->value_count()));
  CHECK(priority_count == static_cast<std::size_t>(v2::Priority_descriptor()->value_count()));
  CHECK(int{wire::event_outcome_count} == v2::TelemetryEvent::Outcome_descriptor()->value_count());
  CHECK(static_cast<int>(wire::EventOutcome::cancelled) == v2::TelemetryEvent::CANCELLED);
  CHECK(static_cast<int>(wire::AckStatus::conflict) == v2::Ack::CONFLICT);
  CHECK(static_cast<int>(wire::WireMode::emergency) == v2::MODE_EMERGENCY);
}

TEST_CASE(
    "what the JSON decoder is built on: few fields, only messages repeat, and a fixed number outweighs its bytes") {
  for (const wire::MessageRule* rule : wire::all_message_rules()) {
    CHECK(rule->fields.size() < wire::JsonMembers::most_fields);
    for (const wire::FieldRule& field : rule->fields) {
      CAPTURE(field.name);
      CHECK((field.label == wire::FieldLabel::repeated) <= (field.type == wire::FieldType::message));
      // "epoch":0 has as many bytes as a tag and a fixed64: the decoder's bytes are never more than its text's.
      if (field.type == wire::FieldType::fixed64 || field.type == wire::FieldType::float64)
        CHECK(field.name.size() >= 5);
    }
  }
}

TEST_CASE("what changes comes before what repeats: the fast walk is built on these numbers") {
  const auto& event = *v2::TelemetryEvent::descriptor();
  CHECK(event.FindFieldByName("service")->number() == 8);
  CHECK(event.FindFieldByName("request_id")->number() == 4);
  CHECK(event.IsReservedNumber(5));
  CHECK(event.IsReservedNumber(7));
}
