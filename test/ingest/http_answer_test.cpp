#include "ingest/http_answer.hpp"

#include <doctest/doctest.h>

#include "base/refusal.hpp"

using namespace nissa;
using namespace nissa::ingest;

namespace {

wire::Ack refused(Reason reason, std::uint32_t retry_after_ms = 0) {
  wire::Ack ack;
  ack.status = wire::AckStatus::refused;
  ack.reason = reason;
  ack.final = is_final(reason);
  ack.retry_after_ms = retry_after_ms;
  return ack;
}

}  // namespace

TEST_CASE("every refusal has a status: 503 with Retry-After where a retry may help, else 4xx without") {
  for (const Reason reason : all_reasons()) {
    if (reason == Reason::none || reason >= Reason::below_low) continue;
    CAPTURE(std::string(name_of(reason)));
    const net::HttpResponse response = http_answer(refused(reason, 1'001), HttpForm::json);
    const std::string_view after = net::find_header(response.headers, "Retry-After");
    if (is_final(reason)) {
      CHECK(response.status == (reason == Reason::class_not_allowed ? 403 : 400));
      CHECK(after.empty());
    } else {
      CHECK(response.status == 503);
      CHECK(after == "2");  // whole seconds, never sooner than the ack says
    }
    CHECK(response.body.find("\"message\":") != std::string::npos);
  }
}

TEST_CASE("counted and duplicate are 200 without a sentence, malformed and conflict are not") {
  wire::Ack ack;
  ack.status = wire::AckStatus::counted;
  CHECK(http_answer(ack, HttpForm::json).status == 200);
  CHECK(http_answer(ack, HttpForm::json).body.find("message") == std::string::npos);
  ack.status = wire::AckStatus::duplicate;
  CHECK(http_answer(ack, HttpForm::json).status == 200);
  ack.status = wire::AckStatus::conflict;
  CHECK(http_answer(ack, HttpForm::json).status == 400);
  ack.status = wire::AckStatus::malformed;
  ack.reason = Reason::bad_tag;
  CHECK(http_answer(ack, HttpForm::json).status == 400);
  ack.reason = Reason::frame_too_large;
  CHECK(http_answer(ack, HttpForm::json).status == 413);
}

TEST_CASE("an answer in protobuf is the ack's bytes") {
  const net::HttpResponse response = http_answer(refused(Reason::overloaded, 500), HttpForm::protobuf);
  CHECK(response.content_type == "application/x-protobuf");
  const auto ack = wire::decode_ack(as_bytes(response.body));
  REQUIRE(ack.has_value());
  CHECK(ack->reason == Reason::overloaded);
  CHECK(ack->retry_after_ms == 500);
  CHECK_FALSE(ack->message.empty());
  CHECK(net::find_header(response.headers, "Retry-After") == "1");
}
