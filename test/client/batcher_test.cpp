#include "client/batcher.hpp"

#include <doctest/doctest.h>

#include "wire/event_walk.hpp"

namespace nissa::client::test {
namespace {

struct Events {
  Events() { wire::append_identity(identity, "checkout", "GET /", {}); }
  Bytes identity;
  wire::EventHead head{.time_unix_ns = 5};
  std::size_t size() const { return wire::event_size(head, identity); }
};

TEST_CASE("a batch is closed by its number of events") {
  Events events;
  Batcher batcher({.max_events = 3});
  CHECK(batcher.add(events.head, events.identity, 0) == Batcher::Added::opened);
  CHECK(batcher.add(events.head, events.identity, 0) == Batcher::Added::grew);
  CHECK_FALSE(batcher.take());
  CHECK(batcher.add(events.head, events.identity, 0) == Batcher::Added::closed);
  const auto body = batcher.take();
  REQUIRE(body);
  CHECK(body->event_count == 3);
  CHECK(body->bytes.size() == 3 * events.size());
  CHECK(body->size == body->bytes.size());
  CHECK(body->tag == 1);
  CHECK_FALSE(batcher.take());
  CHECK_FALSE(batcher.due());
}

TEST_CASE("a batch is closed before it grows beyond its bytes; one event alone may be larger") {
  Events events;
  Batcher batcher({.max_events = 1'000, .max_bytes = static_cast<std::uint32_t>(2 * events.size() + 1)});
  for (int i = 0; i < 3; ++i) (void)batcher.add(events.head, events.identity, 0);
  CHECK(batcher.take()->event_count == 2);
  CHECK_FALSE(batcher.take());
  Batcher narrow({.max_events = 1'000, .max_bytes = 5});
  CHECK(narrow.add(events.head, events.identity, 0) == Batcher::Added::closed);
  CHECK(narrow.take()->event_count == 1);
}

TEST_CASE("a batch is closed when its first event has waited long enough, or when asked") {
  Events events;
  Batcher batcher({.max_age_ns = 100});
  (void)batcher.add(events.head, events.identity, 50);
  (void)batcher.add(events.head, events.identity, 140);
  CHECK(batcher.due() == 150);
  batcher.close_due(149);
  CHECK_FALSE(batcher.take());
  batcher.close_due(150);
  CHECK(batcher.take()->event_count == 2);
  (void)batcher.add(events.head, events.identity, 200);
  batcher.close_open();
  CHECK(batcher.take()->tag == 2);
}

TEST_CASE("tags tell what is open and what was not taken yet") {
  Events events;
  Batcher batcher({});
  CHECK(batcher.first_open() == 1);
  CHECK(batcher.first_untaken() == 1);
  (void)batcher.add(events.head, events.identity, 0);
  batcher.close_open();
  CHECK(batcher.first_open() == 2);
  CHECK(batcher.first_untaken() == 1);
  (void)batcher.take();
  CHECK(batcher.first_untaken() == 2);
}

}  // namespace
}  // namespace nissa::client::test
