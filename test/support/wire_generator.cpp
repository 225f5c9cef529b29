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

// ------------------------------------------------------------------------------------------- a message as a tree

struct Field {
  std::uint64_t tag = 0;             // number and wire type
  std::uint64_t value = 0;           // varint, fixed
  Bytes bytes;                       // text
  const Descriptor* type = nullptr;  // of a message
  std::vector<Field> fields;         // of a message
  // Faults of encoding.
  unsigned tag_padding = 0;
  unsigned value_padding = 0;  // of the varint or of the length
  int length_off_by = 0;
};
using Fields = std::vector<Field>;

std::uint64_t tag_for(std::uint64_t number, unsigned wire_type) { return number << 3 | wire_type; }

Fields read_tree(const Descriptor& type, ByteView message) {
  Fields fields;
  for (ByteReader reader(message); !reader.at_end();) {
    Field field;
    field.tag = reader.varint();
    switch (field.tag & 7) {
      case 0:
        field.value = reader.varint();
        break;
      case 1:
        field.value = reader.fixed<std::uint64_t>();
        break;
      case 5:
        field.value = reader.fixed<std::uint32_t>();
        break;
      default: {
        const ByteView content = as_bytes(reader.text());
        const FieldDescriptor* known = type.FindFieldByNumber(static_cast<int>(field.tag >> 3));
        field.type = known != nullptr ? known->message_type() : nullptr;
        if (field.type != nullptr) field.fields = read_tree(*field.type, content);
        if (field.type == nullptr) field.bytes.assign(content.begin(), content.end());
      }
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

void write_varint(Bytes& out, std::uint64_t value, unsigned padding) {
  ByteWriter(out).varint(value);
  for (; padding > 0; --padding) {
    out.back() |= 0x80;
    out.push_back(0);
  }
}

Bytes write_tree(const Fields& fields) {
  Bytes out;
  for (const Field& field : fields) {
    write_varint(out, field.tag, field.tag_padding);
    switch (field.tag & 7) {
      case 0:
        write_varint(out, field.value, field.value_padding);
        break;
      case 1:
        ByteWriter(out).fixed(field.value);
        break;
      case 5:
        ByteWriter(out).fixed(static_cast<std::uint32_t>(field.value));
        break;
      case 2: {
        const Bytes content = field.type != nullptr ? write_tree(field.fields) : field.bytes;
        write_varint(out, content.size() + static_cast<std::uint64_t>(field.length_off_by), field.value_padding);
        ByteWriter(out).raw(content);
        break;
      }
      default:
        break;  // the ends of groups, and what does not exist, have no content
    }
  }
  return out;
}

// ------------------------------------------------------------------------------------------- mutations

// The fields of one message of the tree, chosen by going down from the top.
struct Place {
  const Descriptor* type;
  Fields* fields;
};
Place some_place(Place place, Choices& choose) {
  for (int level = 0; level < 4 && !place.fields->empty() && choose.chance(70); ++level) {
    Field& field = (*place.fields)[choose.below(place.fields->size())];
    if (field.type == nullptr) continue;
    place = {field.type, &field.fields};
  }
  return place;
}

Field unknown_field(std::uint64_t number, Choices& choose) {
  static constexpr std::array<unsigned, 4> wire_types{0, 1, 2, 5};
  Field field;
  field.tag = tag_for(number, wire_types[choose.below(wire_types.size())]);
  field.value = some_number(choose);
  for (std::uint64_t size = choose.below(4); size > 0; --size) field.bytes.push_back(static_cast<Byte>(choose.bits(1)));
  return field;
}

std::uint64_t highest_number(const Descriptor& type) {
  int highest = 0;
  for (int i = 0; i < type.field_count(); ++i) highest = std::max(highest, type.field(i)->number());
  return static_cast<std::uint64_t>(highest);
}

std::uint64_t number_above(const Descriptor& type, Choices& choose) {
  static constexpr std::uint64_t last_number = (1 << 29) - 1;
  return choose.chance(20) ? last_number : highest_number(type) + 1 + choose.below(300);
}

Bytes bad_text(Choices& choose) {
  static const std::array<std::string, 8> texts{"\x80",         "\xc0\xaf",         "\xc3", "\xed\xa0\x80",
                                                "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xff", "plain then \xe6\x97"};
  const std::string& text = texts[choose.below(texts.size())];
  return {text.begin(), text.end()};
}

// One fault (or a change that is none) in one field of a message that has some.
void mutate_field(Place place, Choices& choose) {
  Fields& fields = *place.fields;
  Field& field = fields[choose.below(fields.size())];
  switch (choose.below(11)) {
    case 0:
      field.value = some_number(choose);
      break;
    case 1:
      std::swap(field, fields[choose.below(fields.size())]);
      break;
    case 2:
      fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(choose.below(fields.size() + 1)), Field(field));
      break;
    case 3:
      fields.erase(fields.begin() + (&field - fields.data()));
      break;
    case 4:
      field.tag_padding = 1 + static_cast<unsigned>(choose.below(3));
      break;
    case 5:
      field.value_padding = 1 + static_cast<unsigned>(choose.below(9));
      break;
    case 6:
      field.length_off_by = static_cast<int>(choose.below(7)) - 3;
      break;
    case 7:
      field.tag = (field.tag & ~std::uint64_t{7}) | choose.below(8);
      break;
    case 8:
      field.tag = tag_for(choose.below(20), field.tag & 7);
      break;
    case 9:
      field.bytes = bad_text(choose);
      break;
    default: {
      const std::string text = some_text(choose);
      field.bytes.assign(text.begin(), text.end());
    }
  }
}

void mutate(Place place, Choices& choose) {
  Fields& fields = *place.fields;
  switch (fields.empty() ? choose.below(2) : choose.below(6)) {
    case 0:  // above all known ones, at the end: canonical, unless a higher one was there
      fields.push_back(unknown_field(number_above(*place.type, choose), choose));
      break;
    case 1: {
      const auto at = static_cast<std::ptrdiff_t>(choose.below(fields.size() + 1));
      fields.insert(fields.begin() + at, unknown_field(choose.below(highest_number(*place.type) + 3), choose));
      break;
    }
    default:
      mutate_field(place, choose);
  }
}

// What no tree can say.
void mutate_bytes(Bytes& bytes, Choices& choose) {
  if (bytes.empty()) return;
  const std::size_t at = choose.below(bytes.size());
  switch (choose.below(4)) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes[at] ^= static_cast<Byte>(1u << choose.below(8));
      break;
    case 2:
      bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<Byte>(choose.bits(1)));
      break;
    default:
      bytes.push_back(static_cast<Byte>(choose.bits(1)));
  }
}

}  // namespace

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

Bytes mutated(const Descriptor& type, ByteView message, unsigned mutations, Choices& choose) {
  Fields tree = read_tree(type, message);
  bool in_bytes = false;
  for (unsigned i = 0; i < mutations; ++i) {
    if (choose.chance(10)) {
      in_bytes = true;
      continue;
    }
    mutate(some_place({&type, &tree}, choose), choose);
  }
  Bytes bytes = write_tree(tree);
  if (in_bytes) mutate_bytes(bytes, choose);
  return bytes;
}

}  // namespace nissa::test
