// The hot path over the body of a batch: of each event, what changes (fields 1 to 7) is proven and read; what repeats
// (fields 8 and above, the identity) is split off unread, for the caller recognises its bytes by a memory of proven
// ones. Together with prove_identity() it accepts exactly what the table walk (canonical_walk.hpp) accepts.
// Pure, allocates nothing; about 5 ns an event.
#pragma once
#include <cstdint>
#include <cstring>
#include <expected>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "wire/header_peek.hpp"
#include "wire/malformed.hpp"
#include "wire/varint.hpp"

namespace nissa::wire {

inline constexpr std::uint64_t no_duration =
    ~std::uint64_t{0};  // 584 years: said so by an agent it is as good as unknown

// Numbers as on the wire; absent means ok.
enum class EventOutcome : std::uint8_t { ok = 0, error = 1, timeout = 2, client_error = 3, cancelled = 4 };
inline constexpr Byte event_outcome_count = 5;

struct EventView {
  std::uint64_t time_unix_ns = 0;  // the agent's clock; meaningless unless has_time. Any 64 bits may come
  std::uint64_t duration_ns = no_duration;
  ByteView identity;  // into the batch; not proven yet
  std::uint32_t request_id_size = 0;
  EventOutcome outcome = EventOutcome::ok;
  bool has_time = false;
};

struct LabelView {
  std::string_view key;
  std::string_view value;
};
// Views into the bytes that were proven. An empty service is an absent one: the event is rejected, alone.
struct Identity {
  std::string_view service;
  std::string_view operation;
  std::vector<LabelView> labels;  // in the order sent; keys may repeat
};

// Only where the memory misses. Offset and path of a fault count from the identity's first byte: what the agent is
// told comes from BodyWalk::explain().
std::expected<Identity, Malformed> prove_identity(ByteView identity);

struct BodyCounts {
  std::uint32_t events = 0;
  std::uint32_t metrics = 0;
  std::uint32_t alerts = 0;
};

// while (walk.next(event)) …prove the identity or recognise it, else return walk.explain()…; then walk.finish().
class BodyWalk {
 public:
  // `batch` from its first byte to its last, `header` peeked from it.
  BodyWalk(ByteView batch, const BatchHeader& header)
      : batch_(batch),
        at_(batch.data() + header.header_size),
        end_(batch.data() + batch.size()),
        told_(header.event_count) {}

  // False: no event follows, or a fault was found; finish() knows which.
  [[nodiscard]] bool next(EventView& event) {
    if (at_ == end_ || *at_ != tag_of(10, WireType::bytes)) return false;
    if (counts_.events == told_) return stop(Fault::count);
    const Byte* at = at_ + 1;
    std::uint64_t size;
    if (read_varint(at, end_, size) != Reason::none || size > static_cast<std::size_t>(end_ - at)) {
      return stop(Fault::form);
    }
    if (!read_event(at, at + size, event)) return stop(Fault::form);
    at_ = at + size;
    ++counts_.events;
    return true;
  }
  // Walks what follows the events and compares the counts. Metrics and alerts are proven and counted, nothing else.
  std::expected<BodyCounts, Malformed> finish();
  // The first fault of the whole batch in the order of its bytes, as the table walk names it.
  Malformed explain() const;

 private:
  enum class Fault : std::uint8_t { none, form, count };
  bool stop(Fault fault) {
    fault_ = fault;
    return false;
  }
  static std::uint64_t load(const Byte* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);  // little-endian machines only; the build says so
    return value;
  }
  static bool read_event(const Byte* at, const Byte* end, EventView& event);
  Malformed wrong_count(std::uint32_t found) const;

  ByteView batch_;
  const Byte* at_;
  const Byte* end_;
  std::uint32_t told_;
  Fault fault_ = Fault::none;
  BodyCounts counts_;
};

// The fields that change, in the one order they may have; then the identity, which begins with a tag of 8 or more.
inline bool BodyWalk::read_event(const Byte* at, const Byte* end, EventView& event) {
  constexpr std::ptrdiff_t fixed_size = 9;  // tag and eight bytes
  event.has_time = at != end && *at == tag_of(1, WireType::fixed64);
  if (event.has_time) {
    if (end - at < fixed_size) return false;
    event.time_unix_ns = load(at + 1);
    at += fixed_size;
  }
  event.duration_ns = no_duration;
  if (at != end && *at == tag_of(2, WireType::fixed64)) {
    if (end - at < fixed_size) return false;
    event.duration_ns = load(at + 1);
    at += fixed_size;
  }
  event.outcome = EventOutcome::ok;
  if (at != end && *at == tag_of(3, WireType::varint)) {
    if (end - at < 2 || at[1] >= event_outcome_count) return false;
    event.outcome = static_cast<EventOutcome>(at[1]);
    at += 2;
  }
  event.request_id_size = 0;
  if (at != end && *at == tag_of(4, WireType::bytes)) {
    std::uint64_t size;
    if (read_varint(++at, end, size) != Reason::none || size > static_cast<std::size_t>(end - at)) return false;
    if (!valid_utf8({at, static_cast<std::size_t>(size)})) return false;
    event.request_id_size = static_cast<std::uint32_t>(size);
    at += size;
  }
  if (at != end && *at < tag_of(8, WireType::varint)) return false;
  event.identity = {at, end};
  return true;
}

}  // namespace nissa::wire
