#include "base/refusal.hpp"

#include <array>
#include <utility>

namespace nissa {
namespace {

constexpr auto names = std::to_array<std::pair<Reason, std::string_view>>({
    {Reason::none, "none"},
    {Reason::unknown_epoch, "unknown_epoch"},
    {Reason::class_not_allowed, "class_not_allowed"},
    {Reason::not_supported, "not_supported"},
    {Reason::overloaded, "overloaded"},
    {Reason::no_room, "no_room"},
    {Reason::window_full, "window_full"},
    {Reason::epoch_closing, "epoch_closing"},
    {Reason::streams_full, "streams_full"},
    {Reason::journal, "journal"},
    {Reason::journal_slow, "journal_slow"},
    {Reason::disk_full, "disk_full"},
    {Reason::shutting_down, "shutting_down"},
    {Reason::below_low, "below_low"},
    {Reason::frame_too_large, "frame_too_large"},
    {Reason::frame_unknown, "frame_unknown"},
    {Reason::hello_expected, "hello_expected"},
    {Reason::protocol_unknown, "protocol_unknown"},
    {Reason::truncated, "truncated"},
    {Reason::bad_tag, "bad_tag"},
    {Reason::wrong_wire_type, "wrong_wire_type"},
    {Reason::varint_not_minimal, "varint_not_minimal"},
    {Reason::value_out_of_range, "value_out_of_range"},
    {Reason::field_out_of_order, "field_out_of_order"},
    {Reason::field_repeated, "field_repeated"},
    {Reason::field_missing, "field_missing"},
    {Reason::enum_unknown, "enum_unknown"},
    {Reason::bad_utf8, "bad_utf8"},
    {Reason::unknown_field_misplaced, "unknown_field_misplaced"},
    {Reason::header_too_long, "header_too_long"},
    {Reason::header_invalid, "header_invalid"},
    {Reason::event_count_wrong, "event_count_wrong"},
    {Reason::too_many_events, "too_many_events"},
    {Reason::empty_batch, "empty_batch"},
    {Reason::bad_json, "bad_json"},
    {Reason::field_unknown, "field_unknown"},
    {Reason::idle, "idle"},
    {Reason::slow_frame, "slow_frame"},
    {Reason::too_many_connections, "too_many_connections"},
    {Reason::bad_input, "bad_input"},
});

constexpr auto reasons = [] {
  std::array<Reason, names.size()> all{};
  for (std::size_t i = 0; i < names.size(); ++i) all[i] = names[i].first;
  return all;
}();

}  // namespace

std::span<const Reason> all_reasons() { return reasons; }

std::string_view name_of(Reason reason) {
  for (const auto& [one, name] : names)
    if (one == reason) return name;
  return "unknown";
}

std::string_view name_of(EventFault fault) {
  switch (fault) {
    case EventFault::no_service:
      return "no_service";
    case EventFault::too_old:
      return "too_old";
    case EventFault::in_the_future:
      return "in_the_future";
    case EventFault::name_too_long:
      return "name_too_long";
    case EventFault::too_many_labels:
      return "too_many_labels";
    case EventFault::request_id_too_long:
      return "request_id_too_long";
    case EventFault::match_sets_full:
      return "match_sets_full";
  }
  return "unknown";
}

}  // namespace nissa
