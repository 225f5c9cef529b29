#include "wire/header_peek.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/crc32c.hpp"
#include "base/utf8.hpp"
#include "wire/canonical_walk.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {
namespace {

// The fields of the header by number.
constexpr unsigned epoch_field = 1, priority_field = 2, sequence_field = 3, settled_field = 4, count_field = 5,
                   sent_field = 6, seen_field = 7, agent_field = 8, dropped_field = 9, first_body_field = 10;
constexpr std::array<WireType, first_body_field> wire_types{
    WireType::varint, WireType::fixed64, WireType::varint, WireType::varint, WireType::varint,
    WireType::varint, WireType::fixed64, WireType::bytes,  WireType::bytes,  WireType::varint};
constexpr unsigned key_fields = 1u << epoch_field | 1u << sequence_field | 1u << settled_field | 1u << seen_field;

std::string name_of_field(unsigned number) {
  for (const FieldRule& field : schema::telemetry_batch.fields)
    if (field.number == number) return std::string(field.name);
  return {};
}

class Peek {
 public:
  explicit Peek(ByteView first)
      : begin_(first.data()),
        at_(first.data()),
        end_(first.data() + std::min(first.size(), header_limit)),
        cut_(first.size() >= header_limit) {}

  bool fields();
  bool whole();
  const BatchHeader& header() const { return header_; }
  bool has(unsigned number) const { return (seen_ >> number & 1) != 0; }
  std::unexpected<Malformed> malformed() const {
    return std::unexpected(Malformed{reason_, static_cast<std::uint32_t>(fault_ - begin_),
                                     field_ == 0 ? "" : name_of_field(field_) + inner_});
  }

 private:
  bool fail(Reason reason, const Byte* at, unsigned field) {
    reason_ = reason;
    fault_ = at;
    field_ = field;
    return false;
  }
  // What ends too early was cut by the header's limit, or was not sent.
  bool short_of(const Byte* at, unsigned field) {
    return fail(cut_ ? Reason::header_too_long : Reason::truncated, at, field);
  }
  bool tag(unsigned& number);
  bool take(unsigned number);
  bool varint(unsigned number, std::uint64_t& value);
  bool fixed(unsigned number, std::uint64_t& value);
  bool bytes(unsigned number, ByteView& value);
  bool plain_epoch_seen(ByteView value);
  bool epoch_seen();
  bool agent();

  const Byte* begin_;
  const Byte* at_;
  const Byte* end_;
  bool cut_;
  unsigned seen_ = 0;  // bit n: field n was read
  BatchHeader header_;
  Reason reason_ = Reason::none;
  const Byte* fault_ = nullptr;
  unsigned field_ = 0;
  std::string inner_;
};

bool Peek::varint(unsigned number, std::uint64_t& value) {
  const Reason reason = read_varint(at_, end_, value);
  if (reason == Reason::none) return true;
  return reason == Reason::truncated ? short_of(at_, number) : fail(reason, at_, number);
}

bool Peek::fixed(unsigned number, std::uint64_t& value) {
  if (end_ - at_ < 8) return short_of(at_, number);
  std::memcpy(&value, at_, 8);
  at_ += 8;
  return true;
}

bool Peek::bytes(unsigned number, ByteView& value) {
  const Byte* const start = at_;
  std::uint64_t size = 0;
  if (!varint(number, size)) return false;
  if (size > static_cast<std::size_t>(end_ - at_)) return short_of(start, number);
  value = {at_, static_cast<std::size_t>(size)};
  at_ += size;
  return true;
}

// Both its fields are required: with nothing else in it (which is nearly always so) it can be read at once.
bool Peek::plain_epoch_seen(ByteView value) {
  constexpr std::size_t running_at = 10;  // behind tag, state_id, tag
  if (value.size() <= running_at || value[0] != tag_of(1, WireType::fixed64) ||
      value[9] != tag_of(2, WireType::varint)) {
    return false;
  }
  const Byte* at = value.data() + running_at;
  const Byte* const end = value.data() + value.size();
  std::memcpy(&header_.epoch_seen.state_id, value.data() + 1, sizeof header_.epoch_seen.state_id);
  return read_varint(at, end, header_.epoch_seen.running_ms) == Reason::none && at == end;
}

bool Peek::epoch_seen() {
  ByteView value;
  if (!bytes(seen_field, value)) return false;
  if (plain_epoch_seen(value)) return true;
  if (const auto proof = prove_canonical(schema::epoch_seen, value); !proof) {
    inner_ = proof.error().field.empty() ? "" : "." + proof.error().field;
    return fail(proof.error().reason, value.data() + proof.error().offset, seen_field);
  }
  ByteReader reader(value);
  reader.raw(1);
  header_.epoch_seen.state_id = reader.fixed<std::uint64_t>();
  reader.raw(1);
  header_.epoch_seen.running_ms = reader.varint();
  return true;
}

bool Peek::agent() {
  ByteView value;
  if (!bytes(agent_field, value)) return false;
  if (value.size() > agent_limit) return fail(Reason::header_invalid, value.data(), agent_field);
  if (!valid_utf8(value)) return fail(Reason::bad_utf8, value.data(), agent_field);
  header_.agent = as_text(value);
  return true;
}

bool Peek::take(unsigned number) {
  const Byte* const start = at_;
  std::uint64_t value = 0;
  switch (number) {
    case epoch_field:
      if (!fixed(number, header_.epoch)) return false;
      return header_.epoch != 0 || fail(Reason::header_invalid, start, number);
    case priority_field:
      if (!varint(number, value)) return false;
      if (!is_priority(value)) return fail(Reason::enum_unknown, start, number);
      header_.priority = static_cast<Priority>(value);
      return true;
    case sequence_field:
      if (!varint(number, header_.sequence)) return false;
      return header_.sequence != 0 || fail(Reason::header_invalid, start, number);
    case settled_field:
      if (!varint(number, header_.settled_below)) return false;
      return header_.settled_below <= header_.sequence || fail(Reason::header_invalid, start, number);
    case count_field:
      if (!varint(number, value)) return false;
      if (value > 0xffffffff) return fail(Reason::value_out_of_range, start, number);
      header_.event_count = static_cast<std::uint32_t>(value);
      return true;
    case sent_field:
      return fixed(number, header_.sent_at_unix_ns);
    case seen_field:
      return epoch_seen();
    case agent_field:
      return agent();
    default:
      return varint(number, header_.dropped_events);
  }
}

// 0: the header ends here, for a field of the body follows.
bool Peek::tag(unsigned& number) {
  const Byte* const start = at_;
  std::uint64_t raw = 0;
  const Reason reason = read_varint(at_, end_, raw);
  // A longer tag that the limit cuts is one of the body: those of the header have one byte.
  if (reason == Reason::truncated && cut_) {
    at_ = start;
    number = 0;
    return true;
  }
  if (reason != Reason::none) return fail(reason, start, 0);
  const std::uint64_t field = raw >> 3;
  if (field >= first_body_field) {
    at_ = start;
    number = 0;
    return true;
  }
  number = static_cast<unsigned>(field);
  if (number == 0 || (raw & 7) > 5) return fail(Reason::bad_tag, start, 0);
  if (has(number)) return fail(Reason::field_repeated, start, number);
  if (seen_ >> number != 0) return fail(Reason::field_out_of_order, start, number);
  if (static_cast<WireType>(raw & 7) != wire_types[number]) return fail(Reason::wrong_wire_type, start, number);
  return true;
}

bool Peek::fields() {
  while (at_ != end_) {
    unsigned number = 0;
    if (!tag(number)) return false;
    if (number == 0) break;
    seen_ |= 1u << number;
    if (!take(number)) {
      seen_ &= ~(1u << number);
      return false;
    }
  }
  header_.header_size = static_cast<std::uint32_t>(at_ - begin_);
  return true;
}

bool Peek::whole() {
  if (!fields()) return false;
  if (!has(priority_field)) return fail(Reason::field_missing, at_, priority_field);
  if (!has(count_field)) return fail(Reason::field_missing, at_, count_field);
  const unsigned key = seen_ & key_fields;
  header_.keyed = key == key_fields;
  if (header_.keyed || key == 0) return true;
  // A key is whole or absent: half of one would be counted under none.
  for (const unsigned number : {epoch_field, sequence_field, settled_field, seen_field})
    if (!has(number)) return fail(Reason::field_missing, at_, number);
  return true;
}

}  // namespace

std::expected<BatchHeader, Malformed> peek_header(ByteView first) {
  Peek peek(first);
  if (!peek.whole()) return peek.malformed();
  return peek.header();
}

std::optional<BatchKey> peek_key(ByteView first) {
  Peek peek(first);
  (void)peek.fields();
  if (!peek.has(epoch_field) || !peek.has(priority_field) || !peek.has(sequence_field)) return std::nullopt;
  return peek.header().key();
}

std::string header_rule(std::string_view field, Reason reason) {
  const std::string name(field);
  if (reason == Reason::field_missing) {
    if (field == "priority" || field == "event_count") return "expected " + name + " in each batch, found none";
    if (field.find('.') != field.npos) return "expected " + name + " wherever epoch_seen is, found none";
    return "expected epoch, sequence, settled_below and epoch_seen together, or none of them; found some without \"" +
           name + "\"";
  }
  if (field == "epoch") return "expected a random number that is not 0";
  if (field == "sequence") return "expected a number from 1 on";
  if (field == "settled_below") return "expected at most what `sequence` says";
  if (field == "agent") return "expected at most " + std::to_string(agent_limit) + " bytes";
  return "expected a header as docs/protocol.md says";
}

std::optional<Malformed> check_event_count(const BatchHeader& header, std::uint32_t max_events) {
  if (header.event_count == 0) return Malformed{Reason::empty_batch, 0, name_of_field(count_field)};
  if (header.event_count > max_events) return Malformed{Reason::too_many_events, 0, name_of_field(count_field)};
  return std::nullopt;
}

void append_header(Bytes& out, const BatchHeader& header) {
  ByteWriter writer(out);
  const auto tag = [&out](unsigned number) { out.push_back(tag_of(number, wire_types[number])); };
  if (header.keyed) {
    tag(epoch_field);
    writer.fixed(header.epoch);
  }
  tag(priority_field);
  writer.varint(static_cast<std::uint64_t>(header.priority));
  if (header.keyed) {
    tag(sequence_field);
    writer.varint(header.sequence);
    tag(settled_field);
    writer.varint(header.settled_below);
  }
  tag(count_field);
  writer.varint(header.event_count);
  if (header.sent_at_unix_ns != 0) {
    tag(sent_field);
    writer.fixed(header.sent_at_unix_ns);
  }
  if (header.keyed) {
    tag(seen_field);
    writer.varint(1 + 8 + 1 + varint_size(header.epoch_seen.running_ms));
    out.push_back(tag_of(1, WireType::fixed64));
    writer.fixed(header.epoch_seen.state_id);
    out.push_back(tag_of(2, WireType::varint));
    writer.varint(header.epoch_seen.running_ms);
  }
  if (!header.agent.empty()) {
    tag(agent_field);
    writer.text(header.agent);
  }
  if (header.dropped_events != 0) {
    tag(dropped_field);
    writer.varint(header.dropped_events);
  }
}

Fingerprint fingerprint_of(ByteView body) { return {static_cast<std::uint32_t>(body.size()), crc32c(body)}; }

}  // namespace nissa::wire
