#include "wire/json_decoder.hpp"

#include <algorithm>
#include <bit>

#include "wire/json_fields.hpp"

namespace nissa::wire {
namespace {

bool in_range(FieldType type, const JsonNumber& number) {
  constexpr std::uint64_t half = std::uint64_t{1} << 63;
  if (!number.fits) return false;
  if (type == FieldType::sint64) return number.negative ? number.magnitude <= half : number.magnitude < half;
  if (number.negative && number.magnitude != 0) return false;
  return type != FieldType::uint32 || number.magnitude <= std::numeric_limits<std::uint32_t>::max();
}

std::uint64_t zigzag(const JsonNumber& number) {
  if (number.magnitude == 0) return 0;
  return number.negative ? 2 * (number.magnitude - 1) + 1 : 2 * number.magnitude;
}

}  // namespace

// ------------------------------------------------------------------------------------------- objects and arrays

bool JsonDecoder::read(const MessageRule& rule, JsonMembers& members) {
  if (!object(rule, members)) return false;
  if (reader_.kind() == JsonKind::end) return true;
  return reader_.fail_expecting("the end of the text behind its one object", Reason::bad_json);
}

bool JsonDecoder::object(const MessageRule& rule, JsonMembers& members) {
  members.begin = out_.size();
  members.brace = reader_.next();
  if (!reader_.take('{')) return reader_.fail_expecting("an object", Reason::wrong_wire_type);
  std::size_t guess = 0;
  if (!reader_.take('}')) {
    do {
      if (!member(rule, members, guess)) return false;
    } while (reader_.take(','));
    if (!reader_.take('}')) return reader_.fail_expecting("a comma or }", Reason::bad_json);
  }
  for (std::size_t i = 0; i < rule.fields.size(); ++i)
    if (rule.fields[i].label == FieldLabel::required && !members.has(i)) return missing(rule, members, i);
  return true;
}

bool JsonDecoder::missing(const MessageRule& rule, const JsonMembers& members, std::size_t field) {
  const std::string name(rule.fields[field].name);
  return fail_in(rule.fields[field], Reason::field_missing, members.brace,
                 "expected \"" + name + "\" in each " + std::string(rule.name) + ", found an object without it");
}

// `guess`: the field that may come next, for most writers keep to the order of the schema.
bool JsonDecoder::member(const MessageRule& rule, JsonMembers& members, std::size_t& guess) {
  const char* const at = reader_.next();
  if (!key(rule, guess)) return false;
  const std::size_t index = guess++;
  const FieldRule& field = rule.fields[index];
  if ((members.named >> index & 1) != 0) {
    return fail_in(field, Reason::field_repeated, at,
                   "expected each field once in an object (snake_case and camelCase name the same), found it again");
  }
  if (!reader_.take(':')) {
    return reader_.fail_expecting("a colon", Reason::bad_json) || through(field.name, no_index);
  }
  members.named |= 1u << index;
  members.tokens[index] = reader_.next();
  if (reader_.take_null()) return true;
  members.pieces[index].begin = out_.size();
  members.ascending = members.ascending && members.given >> index == 0;
  if (field.label == FieldLabel::repeated) {
    if (!array(field, members)) return false;
  } else if (!value(field)) {
    return through(field.name, no_index);
  }
  members.pieces[index].end = out_.size();
  members.given |= 1u << index;
  return true;
}

// `field`: where to look first; then the index of what was named.
bool JsonDecoder::key(const MessageRule& rule, std::size_t& field) {
  if (reader_.kind() != JsonKind::text) {
    return reader_.fail_expecting("a field's name in double quotes", Reason::bad_json);
  }
  const char* const at = reader_.next();
  std::string_view said;
  if (!quoted(said)) return false;
  const std::size_t count = rule.fields.size();
  for (std::size_t tried = 0; tried < count; ++tried, ++field) {
    if (field >= count) field = 0;
    if (names_field(said, rule.fields[field].name)) return true;
  }
  return unknown_key(rule, said, at);
}

bool JsonDecoder::unknown_key(const MessageRule& rule, std::string_view key, const char* at) {
  unknown_ = excerpt(key);
  return fail(Reason::field_unknown, at, unknown_field_message(rule, key)) || through(unknown_, no_index);
}

bool JsonDecoder::array(const FieldRule& field, JsonMembers& members) {
  if (!reader_.take('[')) {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type) || through(field.name, no_index);
  }
  if (reader_.take(']')) return true;
  std::uint32_t index = 0;
  do {
    if (members.items == members.most_items) {
      return fail(Reason::too_many_events, reader_.next(),
                  "expected at most " + std::to_string(members.most_items) + " in one batch, found more") ||
             through(field.name, index);
    }
    if (!value(field)) return through(field.name, index);
    ++members.items;
    ++index;
  } while (reader_.take(','));
  if (reader_.take(']')) return true;
  return reader_.fail_expecting("a comma or ]", Reason::bad_json) || through(field.name, no_index);
}

bool JsonDecoder::message(const FieldRule& field) {
  out_.tag(field.number, WireType::bytes);
  const std::size_t opened = out_.open();
  JsonMembers members;
  if (!object(*field.message, members)) return false;
  settle(*field.message, members);
  out_.close(opened);
  return true;
}

void JsonDecoder::add(const MessageRule& rule, JsonMembers& members, std::size_t field, std::uint64_t value) {
  members.pieces[field].begin = out_.size();
  members.ascending = members.ascending && members.given >> field == 0;
  out_.tag(rule.fields[field].number, WireType::varint);
  out_.varint(value);
  members.pieces[field].end = out_.size();
  members.given |= 1u << field;
}

void JsonDecoder::settle(const MessageRule& rule, const JsonMembers& members) {
  if (members.ascending) return;
  std::array<JsonBuffer::Piece, JsonMembers::most_fields> pieces;
  std::size_t count = 0;
  for (std::size_t i = 0; i < rule.fields.size(); ++i)
    if (members.has(i)) pieces[count++] = members.pieces[i];
  out_.arrange(members.begin, std::span(pieces).first(count));
}

// ------------------------------------------------------------------------------------------- values

bool JsonDecoder::value(const FieldRule& field) {
  switch (field.type) {
    case FieldType::text:
      return text(field);
    case FieldType::message:
      return message(field);
    case FieldType::enumeration:
      return enumeration(field);
    case FieldType::float64:
      return any_number(field);
    case FieldType::boolean:
      return boolean(field);
    case FieldType::fixed64:
    case FieldType::uint64:
    case FieldType::uint32:
    case FieldType::sint64:
      break;
  }
  return whole_number(field);
}

// The next token, which is a text, with its escapes resolved; valid until the next one.
bool JsonDecoder::quoted(std::string_view& said) {
  JsonText text;
  if (!reader_.text(text)) return false;
  said = text.raw;
  if (!text.escaped) return true;
  if (!reader_.unescape(text, unescaped_)) return false;
  said = unescaped_;
  return true;
}

bool JsonDecoder::text(const FieldRule& field) {
  std::string_view said;
  if (reader_.kind() != JsonKind::text) {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type);
  }
  if (!quoted(said)) return false;
  out_.tag(field.number, WireType::bytes);
  out_.text(said);
  return true;
}

bool JsonDecoder::not_a_value(const FieldRule& field, Reason reason, const char* at, std::string_view found) {
  return fail(reason, at, "expected " + json_expectation(field) + ", found " + excerpt(found));
}

bool JsonDecoder::enumeration(const FieldRule& field) {
  const auto& [type, values, value_names] = *field.enumeration;
  const char* const at = reader_.next();
  const JsonKind kind = reader_.kind();
  std::string_view said;
  std::size_t index = 0;
  if (kind == JsonKind::text) {
    if (!quoted(said)) return false;
    index = static_cast<std::size_t>(std::ranges::find(value_names, said) - value_names.begin());
  } else if (kind == JsonKind::number) {
    JsonNumber number;
    if (!reader_.number(number)) return false;
    said = number.text;
    const bool possible = make_whole(number) && in_range(FieldType::uint32, number);
    index = values.size();
    if (possible) index = static_cast<std::size_t>(std::ranges::find(values, number.magnitude) - values.begin());
  } else {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type);
  }
  if (index == values.size()) return not_a_value(field, Reason::enum_unknown, at, said);
  out_.tag(field.number, WireType::varint);
  out_.varint(values[index]);
  return true;
}

// A text that holds nothing but a number.
bool JsonDecoder::quoted_number(const FieldRule& field, std::string_view said, JsonNumber& number) {
  const char* at = said.data();
  const char* const end = at + said.size();
  if (!scan_number(at, end, number) || at != end) return false;
  return field.type == FieldType::float64 || (number.whole && number.text != "-0");
}

bool JsonDecoder::whole_number(const FieldRule& field) {
  const char* const at = reader_.next();
  const JsonKind kind = reader_.kind();
  JsonNumber number;
  if (kind == JsonKind::number) {
    if (!reader_.number(number)) return false;
    if (!make_whole(number)) return not_a_value(field, Reason::value_out_of_range, at, number.text);
  } else if (kind == JsonKind::text) {
    std::string_view said;
    if (!quoted(said)) return false;
    if (!quoted_number(field, said, number)) {
      return not_a_value(field, Reason::wrong_wire_type, at, "the text \"" + excerpt(said) + "\"");
    }
  } else {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type);
  }
  if (!in_range(field.type, number)) return not_a_value(field, Reason::value_out_of_range, at, number.text);
  if (field.type == FieldType::fixed64) {
    out_.tag(field.number, WireType::fixed64);
    out_.fixed(number.magnitude);
    return true;
  }
  out_.tag(field.number, WireType::varint);
  out_.varint(field.type == FieldType::sint64 ? zigzag(number) : number.magnitude);
  return true;
}

bool JsonDecoder::any_number(const FieldRule& field) {
  const char* const at = reader_.next();
  const JsonKind kind = reader_.kind();
  JsonNumber number;
  double value = 0;
  if (kind == JsonKind::number) {
    if (!reader_.number(number)) return false;
    if (!to_double(number, value)) return not_a_value(field, Reason::value_out_of_range, at, number.text);
  } else if (kind == JsonKind::text) {
    std::string_view said;
    if (!quoted(said)) return false;
    if (said == "NaN") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (said == "Infinity" || said == "-Infinity") {
      value = said[0] == '-' ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
    } else if (!quoted_number(field, said, number)) {
      return not_a_value(field, Reason::wrong_wire_type, at, "the text \"" + excerpt(said) + "\"");
    } else if (!to_double(number, value)) {
      return not_a_value(field, Reason::value_out_of_range, at, said);
    }
  } else {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type);
  }
  out_.tag(field.number, WireType::fixed64);
  out_.fixed(std::bit_cast<std::uint64_t>(value));
  return true;
}

bool JsonDecoder::boolean(const FieldRule& field) {
  const JsonKind kind = reader_.kind();
  if (kind != JsonKind::true_word && kind != JsonKind::false_word) {
    return reader_.fail_expecting(json_expectation(field), Reason::wrong_wire_type);
  }
  (void)reader_.word(kind);
  out_.tag(field.number, WireType::varint);
  out_.varint(kind == JsonKind::true_word ? 1 : 0);
  return true;
}

// ------------------------------------------------------------------------------------------- faults

bool JsonDecoder::fail_in(const FieldRule& field, Reason reason, const char* at, std::string message) {
  return fail(reason, at, std::move(message)) || through(field.name, no_index);
}

JsonFault JsonDecoder::fault() {
  std::string path;
  for (std::size_t i = depth_; i-- > 0;) {
    if (!path.empty()) path += '.';
    path += steps_[i].name;
    if (steps_[i].index != no_index) path += '[' + std::to_string(steps_[i].index) + ']';
  }
  return {reader_.reason(), reader_.offset_of(reader_.fault_at()), std::move(path), reader_.take_message()};
}

}  // namespace nissa::wire
