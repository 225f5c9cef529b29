#include "ingest/http_batch.hpp"

#include <algorithm>
#include <utility>

#include "async/mailbox.hpp"
#include "async/strand.hpp"
#include "fold/clock_skew.hpp"
#include "ingest/acknowledgement.hpp"
#include "ingest/batch_line.hpp"
#include "ingest/http_answer.hpp"
#include "ingest/principal.hpp"
#include "net/gzip.hpp"
#include "wire/json_batch.hpp"

namespace nissa::ingest {
namespace {

// Of JSON: while it is decoded, beside its text (wire/json_decoder.hpp).
constexpr std::size_t json_decoding = 4;
// What decoding a byte of JSON takes, in bytes of protobuf folded: 1.3 ns beside 0.28 (docs/performance.md).
constexpr std::size_t json_weight = 5;

// What admit_batch hands to HttpBatch, by way of the server.
struct Admitted {
  HttpHead head;
  overload::Reservation room;
};

std::size_t most_body(const HttpHead& head, const Options& options) {
  return head.form == HttpForm::json ? options.max_json_bytes : options.max_frame_bytes;
}
std::size_t most_inflated(const HttpHead& head, const Options& options) {
  return head.form == HttpForm::json ? options.max_json_bytes : options.max_inflated_bytes;
}

// Of a batch whose own header cannot be read: in the books of what the request's headers say, for there is nothing
// else.
wire::Ack malformed_unread(const Door& door, const HttpHead& head, const wire::Malformed& fault, std::string message) {
  ClassBooks& books = door.books.of(head.key);
  books.received.add();
  books.malformed.add();
  wire::Ack ack = malformed(std::nullopt, door.state_now(), fault);
  ack.message = std::move(message);
  return ack;
}

// Of a body as it is sent: from its Content-Length, or when more of it has come.
net::HttpResponse too_large(const Door& door, const HttpHead& head, const std::string& how, std::size_t limit) {
  return http_answer(malformed_unread(door, head, {Reason::frame_too_large, 0, ""},
                                      "the body " + how + "; this server takes " + std::to_string(limit) +
                                          " bytes of this type: send fewer events at once"),
                     head.answer);
}

// Of a batch whose own header was not read: in the books of what the request's headers say.
wire::Ack refuse_unread(const Door& door, const HttpHead& head, const overload::Refusal& refused) {
  ClassBooks& books = door.books.of(head.key);
  books.received.add();
  books.refused[static_cast<std::size_t>(refused.reason)].add();
  wire::Ack ack = refusal(head.key, door.state_now(), refused.reason, refused.retry_after_ms);
  if (head.key.is_none()) ack.key.reset();
  return ack;
}

// While the open group is full: a second, and some more for those who were refused together.
std::uint32_t full_retry_ms(BootNs now) {
  return 1'000 + static_cast<std::uint32_t>(static_cast<std::uint64_t>(now) % 1'000);
}

std::size_t room_for(const HttpHead& head, const Options& options) {
  const std::size_t body = head.length.value_or(most_body(head, options));
  const std::size_t inflated = head.gzip ? most_inflated(head, options) : 0;
  const std::size_t decoding = head.form == HttpForm::json ? json_decoding * std::max(body, inflated) : 0;
  return std::max<std::size_t>(1, body + inflated + decoding);
}

}  // namespace

std::size_t most_room(const Options& options) {
  const auto room = [&options](HttpForm form) { return room_for({.form = form, .gzip = true}, options); };
  return std::max(room(HttpForm::protobuf), room(HttpForm::json));  // more than a frame over TCP takes
}

std::expected<net::HttpAdmission, net::HttpResponse> admit_batch(Lobby& lobby, const net::HttpRequest& request) {
  const Door& door = lobby.door;
  auto head = read_http_head(request);
  if (!head) return std::unexpected(std::move(head.error()));
  const std::size_t limit = most_body(*head, door.options);
  if (head->length && *head->length > limit)
    return std::unexpected(too_large(door, *head, "has " + std::to_string(*head->length) + " bytes", limit));
  const Priority priority = head->key.priority;
  auto refused = door.overload.refusal(priority);
  const overload::SenderId sender = sender_id_of(principal_of(request.peer));
  auto room = refused ? overload::Admission(std::unexpected(*refused))
                      : door.overload.bytes_or_refusal(priority, sender, room_for(*head, door.options));
  if (room && !door.ledger.has_room())
    room = std::unexpected(overload::Refusal{Reason::no_room, full_retry_ms(door.clock.boot_ns())});
  if (room)
    return net::HttpAdmission{
        .max_body = limit,
        .held = std::make_shared<Admitted>(Admitted{*head, std::move(*room)}),
        .too_large = [&door, of = *head, limit] { return too_large(door, of, "goes on", limit); }};
  return std::unexpected(http_answer(refuse_unread(door, *head, room.error()), head->answer));
}

class HttpBatch::OneAnswer final : public ledger::ReplyTo {
 public:
  void deliver(std::vector<ledger::Answer> answers) override { box_.deliver(std::move(answers)); }
  Task<std::vector<ledger::Answer>> take() { return box_.take(); }

 private:
  Mailbox<ledger::Answer> box_;
};

HttpBatch::HttpBatch(Lobby& lobby, net::HttpRequest request)
    : lobby_(lobby),
      door_(lobby.door),
      held_(std::move(request.held)),
      head_(std::static_pointer_cast<Admitted>(held_)->head),
      principal_(principal_of(request.peer)),
      text_(std::move(request.body)),
      batch_(as_bytes(text_)),
      read_at_(door_.clock.boot_ns()),
      arrival_ms_(door_.ledger.now_ms()),
      answer_(std::make_shared<OneAnswer>()) {}

Task<wire::Ack> HttpBatch::acknowledge() {
  if (Fault fault = co_await inflate()) co_return *fault;
  if (head_.form == HttpForm::protobuf) {
    if (Fault fault = peek()) co_return *fault;
    if (Fault fault = check()) co_return *fault;
  }
  if (!door_.ledger.has_room()) co_return refuse_full();
  co_await door_.overload.async_turn(header_ ? header_->priority : head_.key.priority, turn_bytes());
  if (head_.form == HttpForm::json) {  // in its turn, for that is most of the work
    if (Fault fault = decode_json()) co_return *fault;
    if (Fault fault = check()) co_return *fault;
  }
  if (Fault fault = fold_and_commit()) co_return *fault;
  const std::vector<ledger::Answer> answers = co_await answer_->take();
  wire::Ack ack = acknowledgement(answers.front(), door_.ledger.state_id(), skew_ns_ / ns_per_ms);
  if (!header_->keyed) ack.key.reset();
  ack.unkeyed = !header_->keyed;
  if (ack.reason == Reason::unknown_epoch) ack.message = unknown_epoch_cause(header_->epoch_seen, door_.state_now());
  if (ack.status == wire::AckStatus::counted)
    door_.books.ack_latency[index_of(header_->priority)].observe(door_.clock.boot_ns() - read_at_);
  co_return ack;
}

// A slice, then whoever else is ready.
Task<HttpBatch::Fault> HttpBatch::inflate() {
  if (!head_.gzip) co_return std::nullopt;
  const std::size_t limit = most_inflated(head_, door_.options);
  net::Gunzip gunzip(batch_, limit);
  net::InflateStep step = gunzip.step();
  for (; step == net::InflateStep::more; step = gunzip.step()) co_await yield_turn();
  if (step == net::InflateStep::too_large)
    co_return unreadable({Reason::frame_too_large, 0, ""},
                         "the body inflates to more than " + std::to_string(limit) +
                             " bytes, which is what this server takes of this type: send fewer events at once");
  if (step == net::InflateStep::broken)
    co_return unreadable({Reason::truncated, 0, ""},
                         "the body is no whole gzip stream, as Content-Encoding says: it is cut off, damaged, or "
                         "followed by something else");
  bytes_ = gunzip.take();
  batch_ = bytes_;
  std::string().swap(text_);
  co_return std::nullopt;
}

std::size_t HttpBatch::turn_bytes() const {
  return head_.form == HttpForm::json ? batch_.size() * json_weight : batch_.size();
}

HttpBatch::Fault HttpBatch::decode_json() {
  auto decoded = wire::batch_from_json(as_text(batch_), door_.options.max_events);
  if (!decoded) {
    const wire::JsonFault& fault = decoded.error();
    return unreadable({fault.reason, static_cast<std::uint32_t>(fault.offset), fault.field}, fault.message);
  }
  bytes_ = std::move(decoded->bytes);
  batch_ = bytes_;
  std::string().swap(text_);
  return peek();
}

HttpBatch::Fault HttpBatch::peek() {
  const auto header = wire::peek_header(batch_);
  if (!header) {
    wire::Ack ack = unreadable(header.error());
    ack.key = wire::peek_key(batch_);
    return ack;
  }
  header_ = *header;
  fold::ClockSkew skew(door_.fold_options.agent_clock);
  skew.batch(header->sent_at_unix_ns, arrival_ms_ * ns_per_ms);
  skew_ns_ = skew.shift_ns();
  return std::nullopt;
}

// From here on it stands in the books of its class, and gets one answer.
HttpBatch::Fault HttpBatch::check() {
  in_hand_ = &door_.books.of(header_->key());
  in_hand_->received.add();
  in_hand_->in_hand.add();
  if (!header_->agent.empty()) lobby_.agents.greet(principal_, header_->agent);
  if (auto untrue = head_mismatch(head_, *header_))
    return malformed_batch({Reason::header_invalid, 0, std::string(untrue->header)}, std::move(untrue->message));
  if (const auto fault = wire::check_event_count(*header_, door_.options.max_events)) return malformed_batch(*fault);
  if (header_->priority != head_.key.priority)
    if (const auto refused = door_.overload.refusal(header_->priority))
      return refuse(refused->reason, refused->retry_after_ms);
  return std::nullopt;
}

// Everything between being granted the turn and the end of this function nothing waits.
HttpBatch::Fault HttpBatch::fold_and_commit() {
  ledger::Submission submission;
  {
    Lock lock(lobby_.folding);
    const fold::FoldContext context{door_.ledger.now_ms(), arrival_ms_, skew_ns_};
    if (const auto fault = add_batch(submission, door_.fold, batch_, *header_, context, 0))
      return fault->malformed ? malformed_batch(*fault->malformed) : refuse(fault->refused, fault->retry_after_ms);
  }
  submission.epoch_seen = header_->epoch_seen;
  submission.sender = std::make_shared<ledger::Sender>(ledger::Sender{std::string(header_->agent), principal_});
  submission.reply_to = answer_;
  out_of_hand();
  door_.ledger.submit(std::move(submission));
  return std::nullopt;
}

void HttpBatch::out_of_hand() {
  if (in_hand_ != nullptr) std::exchange(in_hand_, nullptr)->in_hand.subtract();
}

wire::Ack HttpBatch::refuse(Reason reason, std::uint32_t retry_after_ms) {
  in_hand_->refused[static_cast<std::size_t>(reason)].add();
  out_of_hand();
  wire::Ack ack = refusal(header_->key(), door_.state_now(), reason, retry_after_ms);
  if (!header_->keyed) ack.key.reset();
  ack.unkeyed = !header_->keyed;
  return ack;
}

// A disk that hangs: nobody knows for how long.
wire::Ack HttpBatch::refuse_full() {
  if (header_) return refuse(Reason::no_room, full_retry_ms(read_at_));
  return refuse_unread(door_, head_, {Reason::no_room, full_retry_ms(read_at_)});
}

wire::Ack HttpBatch::malformed_batch(const wire::Malformed& fault, std::string message) {
  log_malformed(principal_, header_->agent, fault);
  in_hand_->malformed.add();
  out_of_hand();
  wire::Ack ack = malformed(header_->keyed ? std::optional(header_->key()) : std::nullopt, door_.state_now(), fault);
  ack.message = std::move(message);
  return ack;
}

wire::Ack HttpBatch::unreadable(const wire::Malformed& fault, std::string message) {
  log_malformed(principal_, "", fault);
  return malformed_unread(door_, head_, fault, std::move(message));
}

}  // namespace nissa::ingest
