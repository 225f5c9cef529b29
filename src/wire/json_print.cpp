#include "wire/json_print.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/violation.hpp"

namespace nissa::wire {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

template <class Number>
void append_quoted(std::string& out, Number value) {
  out += '"';
  append_number(out, value);
  out += '"';
}

void append_text(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  } else {
    append_number(out, value);
  }
}

void append_enum(std::string& out, const EnumRule& rule, std::uint64_t value) {
  const auto found = std::ranges::find(rule.values, value);
  if (found == rule.values.end()) return append_number(out, value);
  append_text(out, rule.value_names[static_cast<std::size_t>(found - rule.values.begin())]);
}

void append_message(std::string& out, const MessageRule& rule, ByteView message);

void append_value(std::string& out, const FieldRule& field, ByteReader& reader) {
  switch (field.type) {
    case FieldType::fixed64:
      return append_quoted(out, reader.fixed<std::uint64_t>());
    case FieldType::uint64:
      return append_quoted(out, reader.varint());
    case FieldType::sint64:
      return append_quoted(out, reader.zigzag());
    case FieldType::uint32:
      return append_number(out, reader.varint());
    case FieldType::float64:
      return append_double(out, std::bit_cast<double>(reader.fixed<std::uint64_t>()));
    case FieldType::boolean:
      out += reader.varint() != 0 ? "true" : "false";
      return;
    case FieldType::enumeration:
      return append_enum(out, *field.enumeration, reader.varint());
    case FieldType::text:
      return append_text(out, reader.text());
    case FieldType::message:
      return append_message(out, *field.message, as_bytes(reader.text()));
  }
}

void append_message(std::string& out, const MessageRule& rule, ByteView message) {
  out += '{';
  std::uint64_t before = 0;  // the number of the last field
  bool in_array = false;
  for (ByteReader reader(message); !reader.at_end();) {
    const std::uint64_t number = reader.varint() >> 3;
    const auto field = std::ranges::find(rule.fields, number, &FieldRule::number);
    if (reader.failed() || field == rule.fields.end()) return violation("wire", "only known fields are printed");
    if (number != before) {
      if (in_array) out += ']';
      if (before != 0) out += ',';
      append_text(out, field->name);
      out += ':';
      in_array = field->label == FieldLabel::repeated;
      if (in_array) out += '[';
    } else {
      out += ',';
    }
    append_value(out, *field, reader);
    before = number;
  }
  if (in_array) out += ']';
  out += '}';
}

}  // namespace

std::string print_json(const MessageRule& rule, ByteView message) {
  std::string out;
  append_message(out, rule, message);
  return out;
}

}  // namespace nissa::wire
