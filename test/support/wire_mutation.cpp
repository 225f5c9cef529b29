#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "support/wire_generator.hpp"

namespace nissa::test {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

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
  switch (choose.below(13)) {
    case 0:
    case 11:
    case 12: {
      // Also one beyond what was there: what an enum does not know is seldom met by chance.
      const std::array<std::uint64_t, 3> values{some_number(choose), field.value + 1, choose.below(10)};
      field.value = values[choose.below(values.size())];
      break;
    }
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

std::vector<Bytes> single_fields() {
  std::vector<std::uint64_t> numbers{(1u << 29) - 1, 1u << 29, (1u << 29) + 1, (1ull << 32) + 1, (1ull << 61) - 1};
  for (std::uint64_t number = 0; number <= 20; ++number) numbers.push_back(number);
  std::vector<std::uint64_t> values{
      127, 128, 0xffffffff, 0x100000000, 0x100000001, 0x8000000000000000, ~std::uint64_t{0}};
  for (std::uint64_t value = 0; value <= 80; ++value) values.push_back(value);
  const std::array<std::string, 5> contents{"", "text", "\xff", std::string("\x0a\x00\x12\x00", 4), "\x08\x01"};
  std::vector<Bytes> all;
  for (const std::uint64_t number : numbers) {
    for (unsigned wire_type = 0; wire_type < 8; ++wire_type) {
      const std::uint64_t tag = tag_for(number, wire_type);
      if (wire_type == 0) {
        for (const std::uint64_t value : values) all.push_back(write_tree({Field{.tag = tag, .value = value}}));
      } else if (wire_type == 2) {
        for (const std::string& content : contents)
          all.push_back(write_tree({Field{.tag = tag, .bytes = {content.begin(), content.end()}}}));
      } else {
        all.push_back(write_tree({Field{.tag = tag, .value = 1}}));
      }
    }
  }
  return all;
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
