#include "wire/event_walk.hpp"

#include <bit>

#include "base/violation.hpp"
#include "wire/canonical_walk.hpp"

namespace nissa::wire {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are loaded as they lie on the wire");

constexpr Byte service_tag = tag_of(8, WireType::bytes);
constexpr Byte operation_tag = tag_of(9, WireType::bytes);
constexpr Byte labels_tag = tag_of(10, WireType::bytes);

}  // namespace

std::expected<Identity, Malformed> prove_identity(ByteView identity) {
  // An identity is the tail of an event: by itself it is an event with nothing that changes. A lower field cannot
  // stand in it, for the split was made before the first tag of 8 or more, and from there on fields ascend.
  if (const auto proof = prove_canonical(schema::telemetry_event, identity); !proof) {
    return std::unexpected(proof.error());
  }
  Identity read;
  ByteReader reader(identity);
  while (!reader.at_end()) {
    const std::uint64_t tag = reader.varint();
    if (tag == service_tag) {
      read.service = reader.text();
    } else if (tag == operation_tag) {
      read.operation = reader.text();
    } else if (tag == labels_tag) {
      ByteReader label(as_bytes(reader.text()));
      label.raw(1);
      const std::string_view key = label.text();
      label.raw(1);
      read.labels.push_back({key, label.text()});
    } else {
      break;  // only unknown fields follow
    }
  }
  return read;
}

Malformed BodyWalk::wrong_count(std::uint32_t found) const {
  return {Reason::event_count_wrong, static_cast<std::uint32_t>(at_ - batch_.data()),
          found == told_ ? "events[" + std::to_string(found) + "]" : "event_count"};
}

std::expected<BodyCounts, Malformed> BodyWalk::finish() {
  if (fault_ == Fault::form) return std::unexpected(explain());
  if (fault_ == Fault::count) return std::unexpected(wrong_count(told_));
  if (at_ != end_) {
    // What follows the events is a batch by itself, as far as form goes; but an earlier field must not stand in it.
    if (*at_ < tag_of(11, WireType::varint)) return std::unexpected(explain());
    const ByteView rest{at_, end_};
    if (!prove_canonical(schema::telemetry_batch, rest)) return std::unexpected(explain());
    ByteReader reader(rest);
    while (!reader.at_end()) {
      const std::uint64_t tag = reader.varint();
      if (tag != tag_of(11, WireType::bytes) && tag != tag_of(12, WireType::bytes)) break;  // unknown ones follow
      (tag == tag_of(11, WireType::bytes) ? counts_.metrics : counts_.alerts) += 1;
      (void)reader.text();
    }
  }
  const std::uint64_t found = std::uint64_t{counts_.events} + counts_.metrics + counts_.alerts;
  if (found != told_) return std::unexpected(wrong_count(static_cast<std::uint32_t>(found)));
  return counts_;
}

Malformed BodyWalk::explain() const {
  if (const auto proof = prove_canonical(schema::telemetry_batch, batch_); !proof) return proof.error();
  violation("wire", "the table walk refuses what the fast walk refuses");
  return {Reason::bad_tag, static_cast<std::uint32_t>(at_ - batch_.data()), ""};
}

}  // namespace nissa::wire
