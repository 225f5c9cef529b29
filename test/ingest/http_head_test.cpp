#include "ingest/http_head.hpp"

#include <doctest/doctest.h>

#include "support/printers.hpp"

using namespace nissa;
using namespace nissa::ingest;

namespace {

net::HttpRequest with(net::HttpHeaders headers) {
  net::HttpRequest request;
  request.headers = std::move(headers);
  return request;
}
unsigned refused(net::HttpHeaders headers) {
  const auto head = read_http_head(with(std::move(headers)));
  return head ? 200 : head.error().status;
}

}  // namespace

TEST_CASE("the type of a body is protobuf or JSON, whatever its parameters and case, and nothing else") {
  CHECK(read_http_head(with({{"content-type", "application/x-protobuf"}}))->form == HttpForm::protobuf);
  CHECK(read_http_head(with({{"Content-Type", "Application/JSON; charset=utf-8"}}))->form == HttpForm::json);
  CHECK(refused({{"Content-Type", "text/plain"}}) == 415);
  CHECK(refused({{"Content-Type", "application/x-www-form-urlencoded"}}) == 415);  // curl -d without -H
  CHECK(refused({}) == 415);
}

TEST_CASE("a body may be gzip or not coded, and nothing else") {
  const auto head = [](std::string coding) {
    return read_http_head(with({{"Content-Type", "application/json"}, {"Content-Encoding", std::move(coding)}}));
  };
  CHECK(head("gzip")->gzip);
  CHECK(head("X-GZip")->gzip);
  CHECK_FALSE(head("identity")->gzip);
  CHECK(head("br").error().status == 415);
  CHECK(head("gzip, gzip").error().status == 415);
}

TEST_CASE("a header of which two would be read differently by two servers stands once") {
  const net::HttpHeaders usual{{"Content-Type", "application/json"}};
  for (const auto* name : {"content-type", "Content-Encoding", "Nissa-Key", "NISSA-PRIORITY"}) {
    net::HttpHeaders twice = usual;
    twice.insert(twice.end(), 2, {name, "application/json"});
    const auto head = read_http_head(with(twice));
    REQUIRE_FALSE(head.has_value());
    CHECK(head.error().status == 400);
    CHECK(head.error().body.find("expected one of it") != std::string::npos);
  }
  CHECK(refused({{"Content-Type", "application/json"}, {"X", "a"}, {"X", "b"}}) == 200);
}

TEST_CASE("the answer has the body's form unless Accept names the other alone") {
  const auto answer = [](const char* accept) {
    return read_http_head(with({{"Content-Type", "application/x-protobuf"}, {"Accept", accept}}))->answer;
  };
  CHECK(answer("*/*") == HttpForm::protobuf);
  CHECK(answer("application/json") == HttpForm::json);
  CHECK(answer("application/json, application/x-protobuf") == HttpForm::protobuf);
}

TEST_CASE("key and class may be told in headers, in decimal or hex, and are refused when they cannot be read") {
  const auto head = read_http_head(
      with({{"Content-Type", "application/json"}, {"Nissa-Key", "0x1f/7"}, {"Nissa-Priority", "critical"}}));
  REQUIRE(head.has_value());
  CHECK(head->key == BatchKey{31, Priority::critical, 7});
  CHECK(head->priority == Priority::critical);
  const auto without = read_http_head(with({{"Content-Type", "application/json"}}));
  CHECK(without->key.is_none());
  CHECK(without->key.priority == Priority::normal);
  CHECK_FALSE(without->priority.has_value());
  for (const char* key : {"7", "0/7", "x/7", "7/", "7/8/9", "-1/7", "18446744073709551616/1"})
    CHECK(refused({{"Content-Type", "application/json"}, {"Nissa-Key", key}}) == 400);
  CHECK(refused({{"Content-Type", "application/json"}, {"Nissa-Priority", "urgent"}}) == 400);
}
