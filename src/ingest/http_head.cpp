#include "ingest/http_head.hpp"

#include <charconv>
#include <string>

namespace nissa::ingest {
namespace {

constexpr std::string_view protobuf_type = "application/x-protobuf";
constexpr std::string_view json_type = "application/json";

std::unexpected<net::HttpResponse> bad_header(std::string_view name, std::string_view expected) {
  return std::unexpected(net::http_error(400, "bad_header", std::string(name) + ": expected " + std::string(expected),
                                         "leave it out, or see docs/protocol.md"));
}

std::optional<Priority> parse_priority(std::string_view text) {
  const std::string name = net::media_type(text);
  for (const Priority one : all_priorities)
    if (name == name_of(one)) return one;
  return std::nullopt;
}

std::string header_spelling(Priority priority) {
  std::string out;
  for (const char c : name_of(priority)) out += static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string header_spelling(Epoch epoch, Sequence sequence) {
  return std::to_string(epoch) + '/' + std::to_string(sequence);
}

}  // namespace

std::optional<HeadMismatch> head_mismatch(const HttpHead& head, const wire::BatchHeader& batch) {
  if (head.priority && *head.priority != batch.priority)
    return HeadMismatch{"Nissa-Priority", "Nissa-Priority: " + header_spelling(*head.priority) +
                                              ", but the batch's own priority is " + header_spelling(batch.priority) +
                                              "; let both say the same, or leave the header out"};
  if (head.key.is_none() || (head.key.epoch == batch.epoch && head.key.sequence == batch.sequence)) return std::nullopt;
  const std::string said = "Nissa-Key: " + header_spelling(head.key.epoch, head.key.sequence);
  if (!batch.keyed)
    return HeadMismatch{"Nissa-Key", said +
                                         ", but the batch itself bears no key; give it epoch, sequence, "
                                         "settled_below and epoch_seen, or leave the header out"};
  return HeadMismatch{"Nissa-Key", said + ", but the batch's own key is " +
                                       header_spelling(batch.epoch, batch.sequence) +
                                       "; let both say the same, or leave the header out"};
}

std::optional<std::uint64_t> parse_id(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

HttpForm answer_form(const net::HttpRequest& request, HttpForm usual) {
  const std::string accept = net::lower_case(request.header("Accept"));
  const bool protobuf = accept.find(protobuf_type) != std::string::npos;
  const bool json = accept.find(json_type) != std::string::npos;
  if (protobuf == json) return usual;
  return json ? HttpForm::json : HttpForm::protobuf;
}

std::expected<HttpHead, net::HttpResponse> read_http_head(const net::HttpRequest& request) {
  HttpHead head;
  for (const std::string_view name : {"Content-Type", "Content-Encoding", "Nissa-Priority", "Nissa-Key"})
    if (net::count_headers(request.headers, name) > 1) return bad_header(name, "one of it, not several");
  const std::string type = net::media_type(request.header("Content-Type"));
  if (type != protobuf_type && type != json_type)
    return std::unexpected(
        net::http_error(415, "unknown_type", "Content-Type is \"" + type + "\"",
                        "send application/x-protobuf or application/json (curl -H 'Content-Type: application/json')"));
  head.form = type == json_type ? HttpForm::json : HttpForm::protobuf;
  head.answer = answer_form(request, head.form);
  const std::string coding = net::media_type(request.header("Content-Encoding"));
  head.gzip = coding == "gzip" || coding == "x-gzip";  // the same (RFC 9110, 8.4.1.3)
  if (!head.gzip && !coding.empty() && coding != "identity")
    return std::unexpected(net::http_error(415, "unknown_coding", "Content-Encoding is \"" + coding + "\"",
                                           "send gzip, or no coding at all"));
  if (const auto text = request.header("Nissa-Priority"); !text.empty()) {
    head.priority = parse_priority(text);
    if (!head.priority) return bad_header("Nissa-Priority", "LOW, NORMAL, HIGH or CRITICAL");
    head.key.priority = *head.priority;
  }
  if (const auto text = request.header("Nissa-Key"); !text.empty()) {
    const auto slash = text.find('/');
    const auto epoch = parse_id(text.substr(0, slash));
    const auto sequence = slash == text.npos ? std::nullopt : parse_id(text.substr(slash + 1));
    if (!epoch || *epoch == 0 || !sequence) return bad_header("Nissa-Key", "EPOCH/SEQUENCE");
    head.key.epoch = *epoch;
    head.key.sequence = *sequence;
  }
  if (const auto length = parse_id(request.header("Content-Length"))) head.length = *length;
  return head;
}

}  // namespace nissa::ingest
