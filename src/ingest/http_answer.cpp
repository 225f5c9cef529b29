#include "ingest/http_answer.hpp"

#include <algorithm>
#include <string>

#include "ledger/options.hpp"
#include "wire/header_peek.hpp"
#include "wire/json_messages.hpp"

namespace nissa::ingest {
namespace {

constexpr std::string_view when_anew = "docs/protocol.md says when the batch may be keyed anew";

unsigned status_of(const wire::Ack& ack) {
  switch (ack.status) {
    case wire::AckStatus::counted:
    case wire::AckStatus::duplicate:
      return 200;
    case wire::AckStatus::malformed:
      return ack.reason == Reason::frame_too_large ? 413 : 400;
    case wire::AckStatus::conflict:
      return 400;
    case wire::AckStatus::refused:
      break;
  }
  if (ack.reason == Reason::class_not_allowed) return 403;
  return is_final(ack.reason) ? 400 : 503;
}

// Of the fields that stand in the header alone: the events' own are paths (events[3].labels[0].key).
bool is_of_header(const std::string& field) { return !field.empty() && field.find('[') == field.npos; }

std::string sentence_for(const wire::Ack& ack) {
  if (ack.status == wire::AckStatus::conflict)
    return "another batch was counted under this key, this one was not; send it under a key of a new epoch";
  switch (ack.reason) {
    case Reason::unknown_epoch:
      return "this server does not know the epoch and does not take it; " + std::string(when_anew);
    case Reason::not_supported:
      return "metrics and alerts are not taken yet; send events";
    case Reason::class_not_allowed:
      return "this class of priority is not allowed here";
    case Reason::journal:
    case Reason::journal_slow:
      return ack.unkeyed ? "the batch may be counted or not; it bears no key, so if it is sent again it may count twice"
                         : "the batch may be counted or not; send it again after Retry-After, under the same key";
    case Reason::frame_too_large:
      return "the body is larger than this server takes; send fewer events at once";
    case Reason::event_count_wrong:
      return "event_count is not the number of events, metrics and alerts in the batch";
    case Reason::too_many_events:
      return "a batch has more events than this server takes (max_events of GET /v2/hello)";
    case Reason::empty_batch:
      return "a batch bears at least one event";
    case Reason::field_missing:
      if (!is_of_header(ack.field)) break;
      [[fallthrough]];
    case Reason::header_invalid:
      return ack.field + ": " + wire::header_rule(ack.field, ack.reason);
    default:
      break;
  }
  if (ack.status == wire::AckStatus::refused)
    return "not counted; send it again after Retry-After, under the same key if it bears one";
  return "the bytes are no canonical protobuf of nissa.v2.TelemetryBatch; see docs/protocol.md, \"Canonical form\"";
}

net::HttpResponse respond(unsigned status, HttpForm form, const auto& message) {
  if (form == HttpForm::json) return net::http_json(wire::json_of(message) + "\n", status);
  Bytes bytes;
  wire::encode(bytes, message);
  return {.status = status, .content_type = "application/x-protobuf", .body = std::string(as_text(bytes))};
}

}  // namespace

net::HttpResponse http_answer(wire::Ack ack, HttpForm form) {
  const unsigned status = status_of(ack);
  if (status != 200 && ack.message.empty()) ack.message = sentence_for(ack);
  net::HttpResponse response = respond(status, form, ack);
  // Whole seconds, and never sooner than the ack says.
  if (status == 503)
    response.headers.emplace_back("Retry-After", std::to_string(std::max(1u, (ack.retry_after_ms + 999) / 1000)));
  return response;
}

net::HttpResponse http_answer(const wire::HelloAck& ack, HttpForm form) { return respond(200, form, ack); }

std::string unknown_epoch_cause(const EpochSeen& seen, const EpochSeen& now) {
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  std::string cause = "this server does not know the epoch, and ";
  if (seen.state_id != now.state_id) {
    cause += "the batch's epoch_seen.state_id is " + text(seen.state_id) + ", which is another state than this one, " +
             text(now.state_id) + " (epoch_seen is `now` of GET /v2/hello, from before the epoch's first batch)";
  } else if (seen.running_ms > now.running_ms) {
    cause += "the batch's epoch_seen.running_ms is " + text(seen.running_ms) + ", ahead of this state's " +
             text(now.running_ms) + ", as if an older copy of the state had been restored";
  } else if (now.running_ms - seen.running_ms >= ledger::epoch_memory_ms) {
    cause += "the batch's epoch_seen.running_ms is " + text(seen.running_ms) + ", too long before this state's " +
             text(now.running_ms) + ": the epoch may have been forgotten";
  } else {
    cause +=
        "takes none that began when epoch_seen says: a Goodbye has ended it, or ended so many others that this one "
        "cannot be told from them";
  }
  return cause + "; " + std::string(when_anew);
}

}  // namespace nissa::ingest
