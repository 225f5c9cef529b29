#include "ingest/http_answer.hpp"

#include <algorithm>
#include <string>

#include "wire/json_messages.hpp"

namespace nissa::ingest {
namespace {

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

const char* sentence_for(const wire::Ack& ack) {
  if (ack.status == wire::AckStatus::conflict)
    return "another batch was counted under this key, this one was not; send it under a key of a new epoch";
  switch (ack.reason) {
    case Reason::unknown_epoch:
      return "this server does not know the epoch and does not take it; docs/protocol.md says when the batch may be "
             "keyed anew";
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
    case Reason::header_invalid:
      return "the batch's header is not what it may be: what `field` names is missing, unfit or not what the request's "
             "own headers say";
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

}  // namespace nissa::ingest
