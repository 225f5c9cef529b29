#include "wire/json_batch.hpp"

#include <string>

#include "wire/header_peek.hpp"
#include "wire/json_decoder.hpp"

namespace nissa::wire {
namespace {

const MessageRule& rule = schema::telemetry_batch;
constexpr std::size_t priority_field = 1, count_field = 4, events_field = 9;  // indices in the rule: number - 1

std::size_t field_named(std::string_view name) {
  std::size_t index = 0;
  while (index + 1 < rule.fields.size() && rule.fields[index].name != name) ++index;
  return index;
}

bool header_fits(JsonDecoder& decoder, const JsonMembers& members, const Bytes& bytes) {
  const auto header = peek_header(bytes);
  if (!header) {
    const Malformed& fault = header.error();
    const std::size_t index = field_named(fault.field);
    const char* const at = members.has(index) ? members.tokens[index] : members.brace;
    return decoder.fail_in(rule.fields[index], fault.reason, at, header_rule(fault.field, fault.reason));
  }
  if (header->event_count != members.items) {
    return decoder.fail_in(rule.fields[count_field], Reason::event_count_wrong, members.tokens[count_field],
                           "expected " + std::to_string(members.items) + ", as many events, metrics and alerts as " +
                               "there are, found " + std::to_string(header->event_count));
  }
  if (members.items != 0) return true;
  return decoder.fail_in(rule.fields[events_field], Reason::empty_batch, members.brace,
                         "expected at least one event, metric or alert, found none");
}

}  // namespace

std::expected<JsonBatch, JsonFault> batch_from_json(std::string_view text, std::uint32_t max_events) {
  JsonDecoder decoder(text);
  JsonMembers members;
  members.most_items = max_events;
  if (!decoder.read(rule, members)) return std::unexpected(decoder.fault());
  if (!members.has(priority_field)) {
    decoder.add(rule, members, priority_field, static_cast<std::uint64_t>(Priority::normal));
  }
  if (!members.has(count_field)) decoder.add(rule, members, count_field, members.items);
  decoder.settle(rule, members);
  JsonBatch batch{decoder.take_bytes()};
  if (!header_fits(decoder, members, batch.bytes)) return std::unexpected(decoder.fault());
  return batch;
}

}  // namespace nissa::wire
