// proto/nissa.proto as constant tables, for the canonical walk. test/wire/schema_test.cpp compares them with the
// descriptors of the generated code: a change of the one without the other fails.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace nissa::wire {

enum class FieldType : std::uint8_t { fixed64, float64, uint64, uint32, sint64, boolean, enumeration, text, message };
enum class FieldLabel : std::uint8_t { optional, required, repeated };

struct EnumRule {
  std::string_view name;
  std::span<const std::uint32_t> values;          // ascending
  std::span<const std::string_view> value_names;  // in the order of `values`
};

struct MessageRule;

struct FieldRule {
  std::uint32_t number;
  std::string_view name;
  FieldType type;
  FieldLabel label = FieldLabel::optional;
  const EnumRule* enumeration = nullptr;  // of an enumeration
  const MessageRule* message = nullptr;   // of a message
};

struct MessageRule {
  std::string_view name;
  std::span<const FieldRule> fields;  // ascending numbers; the last is the highest known one
  bool one_of = false;                // all fields belong to one oneof: at most one of them is there
};

namespace schema {
extern const MessageRule label, telemetry_event, metric_point, alert_notification, epoch_seen, telemetry_batch,
    control_command, control_reply, hello, hello_ack, heartbeat, heartbeat_ack, goodbye, go_away, rejected_events, ack,
    client_frame, server_frame;
}  // namespace schema

std::span<const MessageRule* const> all_message_rules();

}  // namespace nissa::wire
