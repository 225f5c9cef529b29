#include "wire/messages.hpp"

#include <nissa.pb.h>

#include <algorithm>

#include "wire/canonical_walk.hpp"
#include "wire/frame.hpp"
#include "wire/header_peek.hpp"

namespace nissa::wire {
namespace {

namespace pb = nissa::v2;

// From the server: what this build does not know is passed over. (ParseFromArray would log what is missing.)
template <class Message>
std::expected<Message, Malformed> parse_lenient(ByteView bytes) {
  Message message;
  if (!message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return std::unexpected(Malformed{Reason::truncated, 0, ""});
  }
  if (!message.IsInitialized()) {
    return std::unexpected(Malformed{Reason::field_missing, 0, message.InitializationErrorString()});
  }
  return message;
}

// From clients: strict, so that the parser meets only what it would write itself.
template <class Message>
std::expected<Message, Malformed> parse_strict(const MessageRule& rule, ByteView bytes) {
  if (auto proof = prove_canonical(rule, bytes); !proof) return std::unexpected(std::move(proof.error()));
  return parse_lenient<Message>(bytes);
}

void serialize(Bytes& out, const google::protobuf::MessageLite& message) {
  const std::size_t at = out.size();
  out.resize(at + message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(out.data() + at);
}

EpochSeen plain(const pb::EpochSeen& seen) { return {seen.state_id(), seen.running_ms()}; }
void fill(pb::EpochSeen& out, const EpochSeen& seen) {
  out.set_state_id(seen.state_id);
  out.set_running_ms(seen.running_ms);
}
Reason plain(pb::Reason reason) { return static_cast<Reason>(reason); }
pb::Reason number(Reason reason) { return static_cast<pb::Reason>(reason); }
WireMode plain(pb::Mode mode) { return static_cast<WireMode>(mode); }

}  // namespace

std::expected<Hello, Malformed> decode_hello(ByteView bytes) {
  auto read = parse_strict<pb::Hello>(schema::hello, bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  if (read->agent().size() > agent_limit) return std::unexpected(Malformed{Reason::value_out_of_range, 0, "agent"});
  if (read->has_epoch() && read->epoch() == 0)
    return std::unexpected(Malformed{Reason::value_out_of_range, 0, "epoch"});
  Hello hello;
  hello.protocol = read->protocol();
  if (read->has_epoch()) hello.epoch = read->epoch();
  hello.agent = read->agent();
  hello.token = read->token();
  hello.sent_at_unix_ns = read->sent_at_unix_ns();
  return hello;
}

void encode(Bytes& out, const Hello& hello) {
  pb::Hello message;
  message.set_protocol(hello.protocol);
  if (hello.epoch) message.set_epoch(*hello.epoch);
  if (!hello.agent.empty()) message.set_agent(hello.agent);
  if (!hello.token.empty()) message.set_token(hello.token);
  if (hello.sent_at_unix_ns != 0) message.set_sent_at_unix_ns(hello.sent_at_unix_ns);
  serialize(out, message);
}

std::expected<HelloAck, Malformed> decode_hello_ack(ByteView bytes) {
  auto read = parse_lenient<pb::HelloAck>(bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  HelloAck ack;
  ack.max_frame_bytes = read->max_frame_bytes();
  ack.max_events = read->max_events();
  ack.window_batches = read->window_batches();
  ack.window_bytes = read->window_bytes();
  ack.now = plain(read->now());
  ack.mode = plain(read->mode());
  if (read->has_epoch_known()) ack.epoch_known = read->epoch_known();
  ack.sent_at_unix_ns = read->sent_at_unix_ns();
  ack.max_inflated_bytes = read->max_inflated_bytes();
  ack.max_json_bytes = read->max_json_bytes();
  return ack;
}

void encode(Bytes& out, const HelloAck& ack) {
  pb::HelloAck message;
  message.set_max_frame_bytes(ack.max_frame_bytes);
  message.set_max_events(ack.max_events);
  message.set_window_batches(ack.window_batches);
  message.set_window_bytes(ack.window_bytes);
  fill(*message.mutable_now(), ack.now);
  message.set_mode(static_cast<pb::Mode>(ack.mode));
  if (ack.epoch_known) message.set_epoch_known(*ack.epoch_known);
  if (ack.sent_at_unix_ns != 0) message.set_sent_at_unix_ns(ack.sent_at_unix_ns);
  if (ack.max_inflated_bytes != 0) message.set_max_inflated_bytes(ack.max_inflated_bytes);
  if (ack.max_json_bytes != 0) message.set_max_json_bytes(ack.max_json_bytes);
  serialize(out, message);
}

std::expected<Heartbeat, Malformed> decode_heartbeat(ByteView bytes) {
  auto read = parse_strict<pb::Heartbeat>(schema::heartbeat, bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  Heartbeat beat;
  beat.sent_at_unix_ns = read->sent_at_unix_ns();
  if (read->has_round_trip_ns()) beat.round_trip_ns = read->round_trip_ns();
  return beat;
}

void encode(Bytes& out, const Heartbeat& beat) {
  pb::Heartbeat message;
  if (beat.sent_at_unix_ns != 0) message.set_sent_at_unix_ns(beat.sent_at_unix_ns);
  if (beat.round_trip_ns) message.set_round_trip_ns(*beat.round_trip_ns);
  serialize(out, message);
}

std::expected<HeartbeatAck, Malformed> decode_heartbeat_ack(ByteView bytes) {
  auto read = parse_lenient<pb::HeartbeatAck>(bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  return HeartbeatAck{read->sent_at_unix_ns(), plain(read->now())};
}

void encode(Bytes& out, const HeartbeatAck& ack) {
  pb::HeartbeatAck message;
  if (ack.sent_at_unix_ns != 0) message.set_sent_at_unix_ns(ack.sent_at_unix_ns);
  fill(*message.mutable_now(), ack.now);
  serialize(out, message);
}

std::expected<Goodbye, Malformed> decode_goodbye(ByteView bytes) {
  auto read = parse_strict<pb::Goodbye>(schema::goodbye, bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  if (read->epoch() == 0) return std::unexpected(Malformed{Reason::value_out_of_range, 0, "epoch"});
  Goodbye goodbye;
  goodbye.epoch = read->epoch();
  if (read->has_epoch_seen()) goodbye.epoch_seen = plain(read->epoch_seen());
  return goodbye;
}

void encode(Bytes& out, const Goodbye& goodbye) {
  pb::Goodbye message;
  message.set_epoch(goodbye.epoch);
  if (goodbye.epoch_seen) fill(*message.mutable_epoch_seen(), *goodbye.epoch_seen);
  serialize(out, message);
}

std::expected<GoAway, Malformed> decode_go_away(ByteView bytes) {
  auto read = parse_lenient<pb::GoAway>(bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  return GoAway{plain(read->reason()), read->message()};
}

void encode(Bytes& out, const GoAway& go_away) {
  pb::GoAway message;
  message.set_reason(number(go_away.reason));
  if (!go_away.message.empty()) message.set_message(go_away.message);
  serialize(out, message);
}

std::expected<ControlCommand, Malformed> decode_control_command(ByteView bytes) {
  auto read = parse_strict<pb::ControlCommand>(schema::control_command, bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  ControlCommand command{read->id(), read->name(), {}};
  for (const pb::Label& argument : read->arguments()) command.arguments.emplace_back(argument.key(), argument.value());
  return command;
}

void encode(Bytes& out, const ControlCommand& command) {
  pb::ControlCommand message;
  message.set_id(command.id);
  message.set_name(command.name);
  for (const auto& [key, value] : command.arguments) {
    pb::Label& argument = *message.add_arguments();
    argument.set_key(key);
    argument.set_value(value);
  }
  serialize(out, message);
}

std::expected<ControlReply, Malformed> decode_control_reply(ByteView bytes) {
  auto read = parse_lenient<pb::ControlReply>(bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  return ControlReply{read->id(), read->done(), plain(read->reason()), read->message()};
}

void encode(Bytes& out, const ControlReply& reply) {
  pb::ControlReply message;
  message.set_id(reply.id);
  message.set_done(reply.done);
  if (reply.reason != Reason::none) message.set_reason(number(reply.reason));
  if (!reply.message.empty()) message.set_message(reply.message);
  serialize(out, message);
}

std::expected<Ack, Malformed> decode_ack(ByteView bytes) {
  auto read = parse_lenient<pb::Ack>(bytes);
  if (!read) return std::unexpected(std::move(read.error()));
  Ack ack;
  if (read->has_epoch() && read->has_priority() && read->has_sequence()) {
    ack.key = BatchKey{read->epoch(), static_cast<Priority>(read->priority()), read->sequence()};
  }
  ack.status = static_cast<AckStatus>(read->status());
  ack.reason = plain(read->reason());
  ack.final = read->final();
  ack.retry_after_ms = read->retry_after_ms();
  ack.byte_offset = read->byte_offset();
  ack.field = read->field();
  ack.accepted = read->accepted();
  ack.late = read->late();
  for (const pb::RejectedEvents& one : read->rejected()) {
    const auto index = static_cast<std::size_t>(one.fault()) - 1;
    if (index < ack.rejected.size()) ack.rejected[index] += one.count();
  }
  ack.clock_skew_ms = read->clock_skew_ms();
  if (read->has_now()) ack.now = plain(read->now());
  ack.mode = plain(read->mode());
  ack.unkeyed = read->identity() == "none";
  ack.message = read->message();
  ack.unmatched = read->unmatched();
  return ack;
}

namespace {

constexpr int first_body_field = 10;
constexpr int last_item_field = 12;

// `semantic` mode forgives how the body is written, not where: a field of the header in the body could change the key
// that was admitted. And it must not hold more than the header told: the parser makes an object of some hundred bytes
// of an event that takes two on the wire.
std::optional<Malformed> body_fault(ByteView batch, const BatchHeader& header) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream body(batch.data() + header.header_size,
                                              static_cast<int>(batch.size() - header.header_size));
  for (std::uint32_t found = 0;;) {
    const auto at = header.header_size + static_cast<std::uint32_t>(body.CurrentPosition());
    const std::uint32_t tag = body.ReadTag();
    if (tag == 0) return std::nullopt;  // the end, or what the parser will refuse
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    if (number < first_body_field) return Malformed{Reason::field_out_of_order, at, ""};
    if (number <= last_item_field && ++found > header.event_count) return Malformed{Reason::event_count_wrong, at, ""};
    if (!WireFormatLite::SkipField(&body, tag)) return Malformed{Reason::truncated, at, ""};
  }
}

}  // namespace

std::expected<Bytes, Malformed> canonical_form(ByteView batch) {
  const auto header = peek_header(batch);
  if (!header) return std::unexpected(header.error());
  if (auto fault = body_fault(batch, *header)) return std::unexpected(std::move(*fault));
  pb::TelemetryBatch message;
  if (!message.ParsePartialFromArray(batch.data(), static_cast<int>(batch.size()))) {
    return std::unexpected(Malformed{Reason::truncated, header->header_size, ""});
  }
  if (!message.IsInitialized()) {
    std::string missing = message.InitializationErrorString();
    missing.resize(std::min(missing.find(','), missing.size()));  // the first of them
    return std::unexpected(Malformed{Reason::field_missing, header->header_size, std::move(missing)});
  }
  Bytes canonical;
  serialize(canonical, message);
  // UTF-8, unknown enum values and misplaced unknown fields survive a re-encode: the strict walk finds them.
  if (auto proof = prove_canonical(schema::telemetry_batch, canonical); !proof) {
    return std::unexpected(std::move(proof.error()));
  }
  return canonical;
}

}  // namespace nissa::wire
