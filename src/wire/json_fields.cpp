#include "wire/json_fields.hpp"

#include <vector>

#include "base/nearest_name.hpp"
#include "wire/json_reader.hpp"

namespace nissa::wire {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// lowerCamelCase as protobuf makes it: each underscore goes, the letter behind it becomes a capital.
std::string camel(std::string_view name) {
  std::string made;
  for (std::size_t i = 0; i < name.size(); ++i)
    made += name[i] == '_' && i + 1 < name.size() ? upper(name[++i]) : name[i];
  return made;
}

bool is_camel_of(std::string_view key, std::string_view name) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < name.size(); ++i, ++at) {
    const char c = name[i] == '_' && i + 1 < name.size() ? upper(name[++i]) : name[i];
    if (at == key.size() || key[at] != c) return false;
  }
  return at == key.size();
}

}  // namespace

// The camel spelling is the shorter one, or the same.
bool names_field(std::string_view key, std::string_view name) {
  if (key.size() == name.size()) return key == name;
  return key.size() < name.size() && !key.empty() && key[0] == name[0] && is_camel_of(key, name);
}

std::string json_expectation(const FieldRule& field) {
  switch (field.type) {
    case FieldType::fixed64:
    case FieldType::uint64:
      return "a whole number from 0 to 18446744073709551615 (or its digits as a text)";
    case FieldType::uint32:
      return "a whole number from 0 to 4294967295 (or its digits as a text)";
    case FieldType::sint64:
      return "a whole number of 64 bits (or its digits as a text)";
    case FieldType::float64:
      return R"(a number (or it as a text), "NaN", "Infinity" or "-Infinity")";
    case FieldType::boolean:
      return "true or false";
    case FieldType::text:
      return "a text";
    case FieldType::message:
      if (field.message == &schema::label) return R"(an array such as [{"key": "region", "value": "eu-1"}])";
      return field.label == FieldLabel::repeated ? "an array of objects" : "an object";
    case FieldType::enumeration:
      break;
  }
  std::string known;
  for (const std::string_view name : field.enumeration->value_names) known += std::string(name) + ", ";
  return known + "or the number of one of them";
}

std::string unknown_field_message(const MessageRule& rule, std::string_view key) {
  std::vector<std::string> known;
  for (const FieldRule& field : rule.fields) known.insert(known.end(), {std::string(field.name), camel(field.name)});
  const std::string_view nearest = nearest_name(key, known);
  std::string message = "expected a field of " + std::string(rule.name) + ", found \"" + excerpt(key) + "\"";
  if (!nearest.empty()) return message + "; did you mean \"" + std::string(nearest) + "\"?";
  message += "; it has";
  for (const FieldRule& field : rule.fields) message += " " + std::string(field.name);
  return message;
}

}  // namespace nissa::wire
