#include "client/body_split.hpp"

#include <doctest/doctest.h>

#include "support/seed.hpp"
#include "wire/event_writer.hpp"

namespace nissa::client::test {
namespace {

Body random_body(std::mt19937_64& random) {
  Body body;
  body.tag = random();
  body.event_count = static_cast<std::uint32_t>(1 + random() % 50);
  for (std::uint32_t i = 0; i < body.event_count; ++i) {
    Bytes identity;
    wire::append_identity(identity, "shop", std::string(random() % 300, 'x'), {});
    wire::EventHead head;
    if (random() % 2 == 0) head.time_unix_ns = random();
    wire::append_event(body.bytes, head, identity);
  }
  body.size = static_cast<std::uint32_t>(body.bytes.size());
  return body;
}

TEST_CASE("the parts of a body put together are the body, and each is within the limits or one event alone") {
  auto random = nissa::test::random_for(60);
  for (int round = 0; round < 500; ++round) {
    const Body body = random_body(random);
    const auto most_events = static_cast<std::uint32_t>(1 + random() % 60);
    const auto most_bytes = static_cast<std::uint32_t>(1 + random() % 3'000);
    Bytes together;
    std::uint32_t events = 0;
    for (const Body& part : split_body(body, most_events, most_bytes)) {
      CHECK(part.tag == body.tag);
      CHECK(part.size == part.bytes.size());
      CHECK(part.event_count <= most_events);
      CHECK((part.size <= most_bytes || part.event_count == 1));
      events += part.event_count;
      together.insert(together.end(), part.bytes.begin(), part.bytes.end());
    }
    CHECK(events == body.event_count);
    CHECK(together == body.bytes);
  }
}

TEST_CASE("a body that holds something else than events is not split") {
  nissa::test::ExpectViolations expect;
  Body body;
  body.bytes = {0x08, 0x01};
  body.size = 2;
  body.event_count = 1;
  const auto parts = split_body(body, 1, 1);
  REQUIRE(parts.size() == 1);
  CHECK(parts[0].bytes == body.bytes);
  CHECK(expect.seen() == 1);
}

}  // namespace
}  // namespace nissa::client::test
