// The flow over HTTP: from a request's head to the ack that answers it. The steps stand in acknowledge().
#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "async/task.hpp"
#include "ingest/door.hpp"
#include "ingest/http_head.hpp"
#include "net/http_routes.hpp"
#include "wire/header_peek.hpp"
#include "wire/malformed.hpp"
#include "wire/messages.hpp"

namespace nissa::ingest {

// From the headers alone, before a byte of the body is read: whether it may come in, with room for it, for what it may
// inflate to and for what decoding takes. An answer refuses. Never waits: over HTTP nobody is held.
std::expected<net::HttpAdmission, net::HttpResponse> admit_batch(Lobby& lobby, const net::HttpRequest& request);

// One batch that was admitted. Thread statement: on the connection's strand. Bounds: what it was admitted with.
class HttpBatch {
 public:
  // `request` was admitted by admit_batch. The lobby outlives it.
  HttpBatch(Lobby& lobby, net::HttpRequest request);
  ~HttpBatch() { out_of_hand(); }
  HttpBatch(const HttpBatch&) = delete;
  HttpBatch& operator=(const HttpBatch&) = delete;

  // Returns when its fate is known, or said to be slow to come.
  Task<wire::Ack> acknowledge();
  HttpForm answer_form() const { return head_.answer; }

 private:
  using Fault = std::optional<wire::Ack>;  // the answer that ends it here

  Task<Fault> inflate();
  Fault decode_json();
  Fault peek();
  Fault check();
  Fault fold_and_commit();
  void out_of_hand();
  wire::Ack refuse(Reason reason, std::uint32_t retry_after_ms);
  wire::Ack refuse_full();
  wire::Ack malformed_batch(const wire::Malformed& fault, std::string message = "");
  wire::Ack unreadable(const wire::Malformed& fault, std::string message = "");
  std::size_t turn_bytes() const;

  class OneAnswer;
  Lobby& lobby_;
  const Door& door_;
  const std::shared_ptr<void> held_;  // its room at the gate
  const HttpHead head_;
  const std::string principal_;
  std::string text_;  // the body as it came
  Bytes bytes_;       // of what was inflated, or made of JSON
  ByteView batch_;
  std::optional<wire::BatchHeader> header_;
  ClassBooks* in_hand_ = nullptr;  // where it stands as in hand
  const BootNs read_at_;
  const UnixMs arrival_ms_;
  std::int64_t skew_ns_ = 0;
  const std::shared_ptr<OneAnswer> answer_;
};

}  // namespace nissa::ingest
