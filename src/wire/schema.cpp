#include "wire/schema.hpp"

#include <array>

namespace nissa::wire {
namespace {

using enum FieldType;
constexpr FieldLabel optional = FieldLabel::optional;
constexpr FieldLabel required = FieldLabel::required;
constexpr FieldLabel repeated = FieldLabel::repeated;

constexpr std::uint32_t priority_values[] = {1, 2, 3, 4};
constexpr std::uint32_t outcome_values[] = {0, 1, 2, 3, 4};
constexpr std::uint32_t two_values[] = {0, 1};
constexpr std::uint32_t mode_values[] = {0, 1, 2};
constexpr std::uint32_t reason_values[] = {0,  1,  2,  3,  10, 11, 12, 13, 14, 15, 16, 17, 18, 30,
                                           40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
                                           54, 55, 56, 57, 58, 59, 60, 61, 70, 71, 72, 73};
constexpr std::uint32_t fault_values[] = {1, 2, 3, 4, 5, 6, 7};
constexpr std::uint32_t status_values[] = {1, 2, 3, 4, 5};

constexpr std::string_view priority_names[] = {"LOW", "NORMAL", "HIGH", "CRITICAL"};
constexpr std::string_view outcome_names[] = {"OK", "ERROR", "TIMEOUT", "CLIENT_ERROR", "CANCELLED"};
constexpr std::string_view kind_names[] = {"GAUGE", "COUNTER"};
constexpr std::string_view state_names[] = {"FIRING", "RESOLVED"};
constexpr std::string_view mode_names[] = {"MODE_NORMAL", "MODE_CONSERVATIVE", "MODE_EMERGENCY"};
constexpr std::string_view reason_names[] = {"NONE",
                                             "UNKNOWN_EPOCH",
                                             "CLASS_NOT_ALLOWED",
                                             "NOT_SUPPORTED",
                                             "OVERLOADED",
                                             "NO_ROOM",
                                             "WINDOW_FULL",
                                             "EPOCH_CLOSING",
                                             "STREAMS_FULL",
                                             "JOURNAL",
                                             "JOURNAL_SLOW",
                                             "DISK_FULL",
                                             "SHUTTING_DOWN",
                                             "BELOW_LOW",
                                             "FRAME_TOO_LARGE",
                                             "FRAME_UNKNOWN",
                                             "HELLO_EXPECTED",
                                             "PROTOCOL_UNKNOWN",
                                             "TRUNCATED",
                                             "BAD_TAG",
                                             "WRONG_WIRE_TYPE",
                                             "VARINT_NOT_MINIMAL",
                                             "VALUE_OUT_OF_RANGE",
                                             "FIELD_OUT_OF_ORDER",
                                             "FIELD_REPEATED",
                                             "FIELD_MISSING",
                                             "ENUM_UNKNOWN",
                                             "BAD_UTF8",
                                             "UNKNOWN_FIELD_MISPLACED",
                                             "HEADER_TOO_LONG",
                                             "HEADER_INVALID",
                                             "EVENT_COUNT_WRONG",
                                             "TOO_MANY_EVENTS",
                                             "EMPTY_BATCH",
                                             "BAD_JSON",
                                             "FIELD_UNKNOWN",
                                             "IDLE",
                                             "SLOW_FRAME",
                                             "TOO_MANY_CONNECTIONS",
                                             "BAD_INPUT"};
constexpr std::string_view fault_names[] = {"NO_SERVICE",     "TOO_OLD",         "IN_THE_FUTURE",
                                            "NAME_TOO_LONG",  "TOO_MANY_LABELS", "REQUEST_ID_TOO_LONG",
                                            "MATCH_SETS_FULL"};
constexpr std::string_view status_names[] = {"COUNTED", "DUPLICATE", "REFUSED", "MALFORMED", "CONFLICT"};

constexpr EnumRule priority{"Priority", priority_values, priority_names};
constexpr EnumRule outcome{"Outcome", outcome_values, outcome_names};
constexpr EnumRule metric_kind{"Kind", two_values, kind_names};
constexpr EnumRule alert_state{"State", two_values, state_names};
constexpr EnumRule mode{"Mode", mode_values, mode_names};
constexpr EnumRule reason{"Reason", reason_values, reason_names};
constexpr EnumRule event_fault{"EventFault", fault_values, fault_names};
constexpr EnumRule ack_status{"Status", status_values, status_names};

constexpr FieldRule label_fields[] = {
    {1, "key", text, required},
    {2, "value", text, required},
};

constexpr FieldRule event_fields[] = {
    {1, "time_unix_ns", fixed64},
    {2, "duration_ns", fixed64},
    {3, "outcome", enumeration, optional, &outcome},
    {4, "request_id", text},
    {8, "service", text},
    {9, "operation", text},
    {10, "labels", message, repeated, nullptr, &schema::label},
};

constexpr FieldRule metric_fields[] = {
    {1, "time_unix_ns", fixed64},
    {2, "value", float64},
    {3, "kind", enumeration, optional, &metric_kind},
    {4, "request_id", text},
    {8, "name", text},
    {9, "unit", text},
    {10, "labels", message, repeated, nullptr, &schema::label},
};

constexpr FieldRule alert_fields[] = {
    {1, "time_unix_ns", fixed64},
    {2, "ends_at_unix_ns", fixed64},
    {3, "state", enumeration, optional, &alert_state},
    {4, "request_id", text},
    {8, "name", text},
    {9, "severity", text},
    {10, "labels", message, repeated, nullptr, &schema::label},
    {11, "annotations", message, repeated, nullptr, &schema::label},
    {12, "generator_url", text},
};

constexpr FieldRule epoch_seen_fields[] = {
    {1, "state_id", fixed64, required},
    {2, "running_ms", uint64, required},
};

constexpr FieldRule batch_fields[] = {
    {1, "epoch", fixed64},
    {2, "priority", enumeration, optional, &priority},
    {3, "sequence", uint64},
    {4, "settled_below", uint64},
    {5, "event_count", uint32},
    {6, "sent_at_unix_ns", fixed64},
    {7, "epoch_seen", message, optional, nullptr, &schema::epoch_seen},
    {8, "agent", text},
    {9, "dropped_events", uint64},
    {10, "events", message, repeated, nullptr, &schema::telemetry_event},
    {11, "metrics", message, repeated, nullptr, &schema::metric_point},
    {12, "alerts", message, repeated, nullptr, &schema::alert_notification},
};

constexpr FieldRule command_fields[] = {
    {1, "id", uint64},
    {2, "name", text},
    {3, "arguments", message, repeated, nullptr, &schema::label},
};

constexpr FieldRule reply_fields[] = {
    {1, "id", uint64},
    {2, "done", boolean},
    {3, "reason", enumeration, optional, &reason},
    {4, "message", text},
};

constexpr FieldRule hello_fields[] = {
    {1, "protocol", uint32, required}, {2, "epoch", fixed64}, {3, "agent", text}, {4, "token", text},
    {5, "sent_at_unix_ns", fixed64},
};

constexpr FieldRule hello_ack_fields[] = {
    {1, "max_frame_bytes", uint32},
    {2, "max_events", uint32},
    {3, "window_batches", uint32},
    {4, "window_bytes", uint32},
    {5, "now", message, optional, nullptr, &schema::epoch_seen},
    {6, "mode", enumeration, optional, &mode},
    {7, "epoch_known", boolean},
    {8, "sent_at_unix_ns", fixed64},
    {9, "max_inflated_bytes", uint32},
    {10, "max_json_bytes", uint32},
};

constexpr FieldRule heartbeat_fields[] = {
    {1, "sent_at_unix_ns", fixed64},
    {2, "round_trip_ns", uint64},
};

constexpr FieldRule heartbeat_ack_fields[] = {
    {1, "sent_at_unix_ns", fixed64},
    {2, "now", message, optional, nullptr, &schema::epoch_seen},
};

constexpr FieldRule goodbye_fields[] = {
    {1, "epoch", fixed64, required},
    {2, "epoch_seen", message, optional, nullptr, &schema::epoch_seen},
};

constexpr FieldRule go_away_fields[] = {
    {1, "reason", enumeration, optional, &reason},
    {2, "message", text},
};

constexpr FieldRule rejected_fields[] = {
    {1, "fault", enumeration, required, &event_fault},
    {2, "count", uint32, required},
};

constexpr FieldRule ack_fields[] = {
    {1, "epoch", fixed64},
    {2, "priority", enumeration, optional, &priority},
    {3, "sequence", uint64},
    {4, "status", enumeration, required, &ack_status},
    {5, "reason", enumeration, optional, &reason},
    {6, "final", boolean},
    {7, "retry_after_ms", uint32},
    {8, "byte_offset", uint32},
    {9, "field", text},
    {10, "accepted", uint32},
    {11, "late", uint32},
    {12, "rejected", message, repeated, nullptr, &schema::rejected_events},
    {13, "clock_skew_ms", sint64},
    {14, "now", message, optional, nullptr, &schema::epoch_seen},
    {15, "mode", enumeration, optional, &mode},
    {16, "identity", text},
    {17, "message", text},
    {18, "unmatched", uint32},
};

constexpr FieldRule client_frame_fields[] = {
    {1, "hello", message, optional, nullptr, &schema::hello},
    {2, "batch", message, optional, nullptr, &schema::telemetry_batch},
    {3, "control", message, optional, nullptr, &schema::control_command},
    {4, "heartbeat", message, optional, nullptr, &schema::heartbeat},
    {5, "goodbye", message, optional, nullptr, &schema::goodbye},
};

constexpr FieldRule server_frame_fields[] = {
    {1, "hello_ack", message, optional, nullptr, &schema::hello_ack},
    {2, "ack", message, optional, nullptr, &schema::ack},
    {3, "control_reply", message, optional, nullptr, &schema::control_reply},
    {4, "heartbeat_ack", message, optional, nullptr, &schema::heartbeat_ack},
    {5, "go_away", message, optional, nullptr, &schema::go_away},
};

}  // namespace

namespace schema {
constinit const MessageRule label{"Label", label_fields};
constinit const MessageRule telemetry_event{"TelemetryEvent", event_fields};
constinit const MessageRule metric_point{"MetricPoint", metric_fields};
constinit const MessageRule alert_notification{"AlertNotification", alert_fields};
constinit const MessageRule epoch_seen{"EpochSeen", epoch_seen_fields};
constinit const MessageRule telemetry_batch{"TelemetryBatch", batch_fields};
constinit const MessageRule control_command{"ControlCommand", command_fields};
constinit const MessageRule control_reply{"ControlReply", reply_fields};
constinit const MessageRule hello{"Hello", hello_fields};
constinit const MessageRule hello_ack{"HelloAck", hello_ack_fields};
constinit const MessageRule heartbeat{"Heartbeat", heartbeat_fields};
constinit const MessageRule heartbeat_ack{"HeartbeatAck", heartbeat_ack_fields};
constinit const MessageRule goodbye{"Goodbye", goodbye_fields};
constinit const MessageRule go_away{"GoAway", go_away_fields};
constinit const MessageRule rejected_events{"RejectedEvents", rejected_fields};
constinit const MessageRule ack{"Ack", ack_fields};
constinit const MessageRule client_frame{"ClientFrame", client_frame_fields, true};
constinit const MessageRule server_frame{"ServerFrame", server_frame_fields, true};
}  // namespace schema

std::span<const MessageRule* const> all_message_rules() {
  static constexpr std::array all{
      &schema::label,        &schema::telemetry_event, &schema::metric_point,    &schema::alert_notification,
      &schema::epoch_seen,   &schema::telemetry_batch, &schema::control_command, &schema::control_reply,
      &schema::hello,        &schema::hello_ack,       &schema::heartbeat,       &schema::heartbeat_ack,
      &schema::goodbye,      &schema::go_away,         &schema::rejected_events, &schema::ack,
      &schema::client_frame, &schema::server_frame};
  return all;
}

}  // namespace nissa::wire
