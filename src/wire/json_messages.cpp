#include "wire/json_messages.hpp"

#include "wire/json_decoder.hpp"
#include "wire/json_print.hpp"

namespace nissa::wire {

std::string json_of(const Ack& message) {
  Bytes bytes;
  encode(bytes, message);
  return print_json(schema::ack, bytes);
}

std::string json_of(const HelloAck& message) {
  Bytes bytes;
  encode(bytes, message);
  return print_json(schema::hello_ack, bytes);
}

std::expected<Goodbye, JsonFault> goodbye_from_json(std::string_view text) {
  const MessageRule& rule = schema::goodbye;
  JsonDecoder decoder(text);
  JsonMembers members;
  if (!decoder.read(rule, members)) return std::unexpected(decoder.fault());
  decoder.settle(rule, members);
  auto goodbye = decode_goodbye(decoder.take_bytes());
  if (goodbye) return *goodbye;
  // What is left to be wrong is the value of the epoch, the first field.
  (void)decoder.fail_in(rule.fields[0], goodbye.error().reason, members.tokens[0], "expected a number that is not 0");
  return std::unexpected(decoder.fault());
}

}  // namespace nissa::wire
