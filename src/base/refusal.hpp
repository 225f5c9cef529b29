// Why something was not taken: one closed list, with the numbers of nissa.v2.Reason on the wire.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace nissa {

enum class Reason : std::uint8_t {
  none = 0,
  unknown_epoch = 1,
  class_not_allowed = 2,
  not_supported = 3,
  overloaded = 10,
  no_room = 11,
  window_full = 12,
  epoch_closing = 13,
  streams_full = 14,
  journal = 15,
  journal_slow = 16,
  disk_full = 17,
  shutting_down = 18,
  below_low = 30,
  frame_too_large = 40,
  frame_unknown = 41,
  hello_expected = 42,
  protocol_unknown = 43,
  truncated = 44,
  bad_tag = 45,
  wrong_wire_type = 46,
  varint_not_minimal = 47,
  value_out_of_range = 48,
  field_out_of_order = 49,
  field_repeated = 50,
  field_missing = 51,
  enum_unknown = 52,
  bad_utf8 = 53,
  unknown_field_misplaced = 54,
  header_too_long = 55,
  header_invalid = 56,
  event_count_wrong = 57,
  too_many_events = 58,
  empty_batch = 59,
  bad_json = 60,
  field_unknown = 61,
  idle = 70,
  slow_frame = 71,
  too_many_connections = 72,
  bad_input = 73,
};

// Every reason, in the order of the numbers: for catalogues and for tests that walk the list.
std::span<const Reason> all_reasons();
std::string_view name_of(Reason reason);

// A refusal that no retry will lift. CRITICAL gets no other final answers than these, MALFORMED and CONFLICT.
constexpr bool is_final(Reason reason) {
  return reason == Reason::unknown_epoch || reason == Reason::class_not_allowed || reason == Reason::not_supported;
}
// The sending stays unanswered: the batch may yet be counted.
constexpr bool leaves_doubt(Reason reason) { return reason == Reason::journal || reason == Reason::journal_slow; }

// Why a single event of a counted batch was not taken; the numbers of nissa.v2.EventFault.
enum class EventFault : std::uint8_t {
  no_service = 1,
  too_old = 2,
  in_the_future = 3,
  name_too_long = 4,
  too_many_labels = 5,
  request_id_too_long = 6,
  match_sets_full = 7,  // labels made more combinations of SLOs than are told apart: it cannot be counted
};
inline constexpr std::size_t event_fault_count = 7;
std::string_view name_of(EventFault fault);

}  // namespace nissa
