#include "tools/event_lines.hpp"

#include <array>

#include "base/crc32c.hpp"
#include "base/utf8.hpp"
#include "client/event_check.hpp"
#include "tools/access_log.hpp"
#include "tools/json_line.hpp"
#include "wire/event_writer.hpp"

namespace nissa::tools {
namespace {

// To be raised when a line becomes another event than before: a new way to name operations, for example.
constexpr std::uint64_t way_of_making_events = 1;

using client::longest_name, client::longest_request_id, client::most_labels;

Status check_text(std::string_view what, std::string_view text, std::size_t longest) {
  if (text.size() > longest)
    return failure(std::string(what) + " is longer than " + std::to_string(longest) + " bytes");
  if (!valid_utf8(as_bytes(text))) return failure(std::string(what) + " is not UTF-8");
  return {};
}

Status check(const LineEvent& event) {
  if (event.service.empty()) return failure("names no service, and there is no --service NAME");
  if (event.labels.size() > most_labels) return failure("has more than 32 labels, those of --label included");
  if (auto good = check_text("the service", event.service, longest_name); !good) return good;
  if (auto good = check_text("the operation", event.operation, longest_name); !good) return good;
  if (auto good = check_text("request_id", event.request_id, longest_request_id); !good) return good;
  for (const auto& [key, value] : event.labels) {
    if (auto good = check_text("the name of a label", key, longest_name); !good) return good;
    if (auto good = check_text("the label " + key, value, longest_name); !good) return good;
  }
  return {};
}

bool begins_as_json(std::string_view line) {
  return line.substr(std::min(line.find_first_not_of(" \t"), line.size())).starts_with('{');
}

// As a line of the format given or, where none is, of the one that it looks like.
Result<LineEvent> parse(std::string_view line, const SendOptions& options) {
  const bool automatic = options.format == SendOptions::Format::automatic;
  if (automatic ? begins_as_json(line) : options.format == SendOptions::Format::json) return parse_json_line(line);
  if (automatic && !looks_like_access_line(line))
    return failure(
        "is neither a JSON object (which begins with {) nor an access log line (no [$time_local] \"$request\"); "
        "--help shows both");
  return parse_access_line(line, options.operations);
}

}  // namespace

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

Result<LineEvent> understand(std::string_view line, const SendOptions& options) {
  Result<LineEvent> event = parse(line, options);
  if (!event) return event;
  if (event->service.empty()) event->service = options.service;
  event->labels.insert(event->labels.end(), options.labels.begin(), options.labels.end());
  if (auto good = check(*event); !good) return std::unexpected(std::move(good.error()));
  return event;
}

Status append_event_of(std::string_view line, const SendOptions& options, Bytes& body) {
  const Result<LineEvent> event = understand(line, options);
  if (!event) return std::unexpected(event.error());
  std::array<wire::LabelView, most_labels> labels;
  for (std::size_t i = 0; i < event->labels.size(); ++i) labels[i] = {event->labels[i].first, event->labels[i].second};
  wire::EventHead head;
  if (event->time_unix_ns) head.time_unix_ns = static_cast<std::uint64_t>(*event->time_unix_ns);
  if (event->duration_ns >= 0) head.duration_ns = static_cast<std::uint64_t>(event->duration_ns);
  head.outcome = static_cast<wire::EventOutcome>(event->outcome);
  head.request_id = event->request_id;
  thread_local Bytes identity;
  identity.clear();
  wire::append_identity(identity, event->service, event->operation, std::span(labels).first(event->labels.size()));
  wire::append_event(body, head, identity);
  return {};
}

std::uint64_t meaning_of(const SendOptions& options) {
  Bytes all;
  ByteWriter out(all);
  out.varint(way_of_making_events);
  out.varint(static_cast<std::uint64_t>(options.format));
  out.text(options.service);
  out.varint(options.labels.size());
  for (const auto& [key, value] : options.labels) {
    out.text(key);
    out.text(value);
  }
  out.varint(options.operation_rules.size());
  for (const std::string& rule : options.operation_rules) out.text(rule);
  return std::uint64_t{crc32c(all)} << 32 | (all.size() & 0xFFFF'FFFF);
}

}  // namespace nissa::tools
