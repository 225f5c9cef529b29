#include "wire/canonical_walk.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {
namespace {

// Where a fault lies, one a level of messages, innermost first: the path is made of it, only when something was wrong.
constexpr std::uint32_t no_index = ~std::uint32_t{0};
struct Step {
  std::uint32_t number = 0;
  const FieldRule* field = nullptr;  // null: unknown, named by its number
  std::uint32_t index = 0;           // of the element, in a repeated field
};

class Walk {
 public:
  explicit Walk(const Byte* begin) : begin_(begin) {}

  bool message(const MessageRule& rule, const Byte* at, const Byte* end);
  Malformed malformed() const { return {reason_, static_cast<std::uint32_t>(fault_ - begin_), path()}; }

 private:
  // The schema nests four messages (frame, batch, event, label); a fifth would be a change of the schema.
  static constexpr std::size_t max_depth = 6;

  bool fail(Reason reason, const Byte* at) {
    reason_ = reason;
    fault_ = at;
    return false;
  }
  // Notes, on the way out of a fault, through which field it was reached.
  bool through(Step step) {
    if (depth_ < max_depth) steps_[depth_++] = step;
    return false;
  }
  bool skip_absent(std::span<const FieldRule> fields, std::size_t& next, std::uint32_t number, const Byte* at);
  bool tag(const Byte*& at, const Byte* end, std::uint32_t& number, WireType& type);
  bool length(const Byte*& at, const Byte* end, ByteView& content);
  bool value(const FieldRule& field, WireType type, const Byte*& at, const Byte* end);
  bool number_value(const FieldRule& field, const Byte*& at, const Byte* end);
  bool unknown_value(WireType type, const Byte*& at, const Byte* end);
  bool fixed(std::ptrdiff_t size, const Byte*& at, const Byte* end) {
    if (end - at < size) return fail(Reason::truncated, at);
    at += size;
    return true;
  }
  std::string path() const;

  const Byte* begin_;
  const Byte* fault_ = nullptr;
  Reason reason_ = Reason::none;
  std::size_t depth_ = 0;
  std::array<Step, max_depth> steps_;
};

WireType wire_type_of(FieldType type) {
  switch (type) {
    case FieldType::fixed64:
    case FieldType::float64:
      return WireType::fixed64;
    case FieldType::text:
    case FieldType::message:
      return WireType::bytes;
    case FieldType::uint64:
    case FieldType::uint32:
    case FieldType::sint64:
    case FieldType::boolean:
    case FieldType::enumeration:
      break;
  }
  return WireType::varint;
}

bool in_range(const FieldRule& field, std::uint64_t value) {
  switch (field.type) {
    case FieldType::uint32:
      return value <= 0xffffffff;
    case FieldType::boolean:
      return value <= 1;
    default:
      return true;
  }
}

bool Walk::tag(const Byte*& at, const Byte* end, std::uint32_t& number, WireType& type) {
  const Byte* const start = at;
  std::uint64_t raw = 0;
  if (const Reason reason = read_varint(at, end, raw); reason != Reason::none) return fail(reason, start);
  const auto kind = static_cast<Byte>(raw & 7);
  if (raw > 0xffffffff || raw >> 3 == 0 || kind == 3 || kind == 4 || kind > 5) return fail(Reason::bad_tag, start);
  number = static_cast<std::uint32_t>(raw >> 3);
  type = static_cast<WireType>(kind);
  return true;
}

bool Walk::length(const Byte*& at, const Byte* end, ByteView& content) {
  const Byte* const start = at;
  std::uint64_t size = 0;
  if (const Reason reason = read_varint(at, end, size); reason != Reason::none) return fail(reason, start);
  if (size > static_cast<std::size_t>(end - at)) return fail(Reason::truncated, start);
  content = {at, static_cast<std::size_t>(size)};
  at += size;
  return true;
}

bool Walk::number_value(const FieldRule& field, const Byte*& at, const Byte* end) {
  const Byte* const start = at;
  std::uint64_t value = 0;
  if (const Reason reason = read_varint(at, end, value); reason != Reason::none) return fail(reason, start);
  if (!in_range(field, value)) return fail(Reason::value_out_of_range, start);
  if (field.enumeration != nullptr && !std::ranges::binary_search(field.enumeration->values, value)) {
    return fail(Reason::enum_unknown, start);
  }
  return true;
}

bool Walk::value(const FieldRule& field, WireType type, const Byte*& at, const Byte* end) {
  if (type != wire_type_of(field.type)) return fail(Reason::wrong_wire_type, at);
  if (type == WireType::varint) return number_value(field, at, end);
  if (type == WireType::fixed64) return fixed(8, at, end);
  ByteView content;
  if (!length(at, end, content)) return false;
  if (field.type == FieldType::message) return message(*field.message, content.data(), content.data() + content.size());
  return valid_utf8(content) || fail(Reason::bad_utf8, content.data());
}

bool Walk::unknown_value(WireType type, const Byte*& at, const Byte* end) {
  std::uint64_t value = 0;
  ByteView content;
  const Byte* const start = at;
  switch (type) {
    case WireType::varint:
      if (const Reason reason = read_varint(at, end, value); reason != Reason::none) return fail(reason, start);
      return true;
    case WireType::fixed64:
      return fixed(8, at, end);
    case WireType::fixed32:
      return fixed(4, at, end);
    case WireType::bytes:
      return length(at, end, content);
  }
  return fail(Reason::bad_tag, at);
}

// Why a field that may not come here may not.
Reason misplacement(const MessageRule& rule, std::uint32_t number, std::uint32_t before) {
  const auto known = [&](const FieldRule& field) { return field.number == number; };
  if (std::ranges::none_of(rule.fields, known)) return Reason::unknown_field_misplaced;
  return number < before ? Reason::field_out_of_order : Reason::field_repeated;
}

// Names a field that may not come where it came; which element it would be cannot be said.
Step misplaced(const MessageRule& rule, std::uint32_t number) {
  Step step{number, nullptr, no_index};
  for (const FieldRule& field : rule.fields)
    if (field.number == number) step.field = &field;
  return step;
}

// Passes the fields below `number`: none of them comes any more.
bool Walk::skip_absent(std::span<const FieldRule> fields, std::size_t& next, std::uint32_t number, const Byte* at) {
  for (; next < fields.size() && fields[next].number < number; ++next) {
    if (fields[next].label != FieldLabel::required) continue;
    return fail(Reason::field_missing, at) || through({fields[next].number, &fields[next]});
  }
  return true;
}

bool Walk::message(const MessageRule& rule, const Byte* at, const Byte* end) {
  const auto fields = rule.fields;
  std::size_t next = 0;      // the first field that may still come
  std::uint32_t before = 0;  // the number of the last field, known or not
  std::uint32_t index = 0;   // of the element, in a repeated field
  while (at != end) {
    const Byte* const start = at;
    std::uint32_t number = 0;
    WireType type{};
    if (!tag(at, end, number, type)) return false;
    if (number >= before && !skip_absent(fields, next, number, start)) return false;
    const FieldRule* field = next < fields.size() && fields[next].number == number ? &fields[next] : nullptr;
    index = number == before ? index + 1 : 0;
    const Step step{number, field, index};
    const bool above_all = number > fields.back().number;
    if (number < before || (field == nullptr && !above_all)) {
      return fail(misplacement(rule, number, before), start) || through(misplaced(rule, number));
    }
    if (rule.one_of && field != nullptr && before != 0) return fail(Reason::field_repeated, start) || through(step);
    if (field != nullptr && field->label != FieldLabel::repeated) ++next;
    if (!(field != nullptr ? value(*field, type, at, end) : unknown_value(type, at, end))) return through(step);
    before = number;
  }
  return skip_absent(fields, next, ~std::uint32_t{0}, end);
}

std::string Walk::path() const {
  std::string path;
  for (std::size_t i = depth_; i-- > 0;) {
    const Step& step = steps_[i];
    if (!path.empty()) path += '.';
    if (step.field == nullptr) {
      path += std::to_string(step.number);
      continue;
    }
    path += step.field->name;
    if (step.field->label == FieldLabel::repeated && step.index != no_index)
      path += '[' + std::to_string(step.index) + ']';
  }
  return path;
}

}  // namespace

std::expected<void, Malformed> prove_canonical(const MessageRule& rule, ByteView message) {
  Walk walk(message.data());
  if (walk.message(rule, message.data(), message.data() + message.size())) return {};
  return std::unexpected(walk.malformed());
}

}  // namespace nissa::wire
