#include "async/watchdog.hpp"

#include <doctest/doctest.h>

#include "support/hand_loop.hpp"
#include "support/memory_stream.hpp"
#include "support/printers.hpp"
#include "support/seed.hpp"

using namespace nissa;
using nissa::test::HandLoop;

namespace {

Task<void> wait_for_end(std::shared_ptr<ByteStream> stream, std::expected<void, StreamEnd>& result) {
  result = co_await stream->wait_readable();
}

struct Watched {
  Watched() : pair(test::memory_pair(hand.timers)), watchdog(hand.timers, pair.near) {
    hand.loop.spawn(wait_for_end(pair.near, result));
  }
  ~Watched() {
    pair.near->close();
    hand.settle();
  }
  HandLoop hand;
  test::MemoryPair pair;
  Watchdog watchdog;
  std::expected<void, StreamEnd> result;
};

}  // namespace

TEST_CASE("a watchdog closes the stream when what was expected has not come") {
  Watched watched;
  watched.watchdog.expect_within(100);
  watched.hand.pass(99);
  CHECK(watched.result.has_value());
  watched.hand.pass(1);
  CHECK(watched.result == std::expected<void, StreamEnd>(std::unexpected(StreamEnd::closed)));
  CHECK(watched.watchdog.has_bitten());
}

TEST_CASE("a deadline is put off, brought forward and called off") {
  Watched watched;
  watched.watchdog.expect_within(100);
  watched.hand.pass(60);
  watched.watchdog.expect_within(100);
  watched.hand.pass(99);
  CHECK(!watched.watchdog.has_bitten());
  watched.watchdog.expect_within(1'000);
  watched.watchdog.expect_within(10);
  watched.watchdog.rest();
  watched.hand.pass(2'000);
  CHECK(!watched.watchdog.has_bitten());
  watched.watchdog.expect_within(1'000);
  watched.watchdog.expect_within(10);
  watched.hand.pass(10);
  CHECK(watched.watchdog.has_bitten());
}

TEST_CASE("a watchdog that is gone closes nothing and leaves no timer behind") {
  HandLoop hand;
  const auto pair = test::memory_pair(hand.timers);
  {
    Watchdog(hand.timers, pair.near).expect_within(100);
  }
  CHECK(!hand.timers.next_deadline());
}

TEST_CASE("memory streams carry every byte in order, in pieces, late, and through a narrow pipe") {
  HandLoop hand;
  const auto pair = test::memory_pair(hand.timers, {.seed = nissa::test::seed(),
                                                    .most_in_flight = 100,
                                                    .longest_piece = 17,
                                                    .least_delay_ns = 1'000,
                                                    .most_delay_ns = 50'000});
  std::string sent;
  for (int i = 0; i < 3'000; ++i) sent += std::to_string(i);
  std::string heard;
  StreamEnd end = StreamEnd::broken;
  hand.loop.spawn([](std::shared_ptr<ByteStream> stream, const std::string& bytes) -> Task<void> {
    CHECK(co_await stream->write(as_bytes(bytes)));
    stream->close();
  }(pair.near, sent));
  hand.loop.spawn([](std::shared_ptr<ByteStream> stream, std::string& into, StreamEnd& ended) -> Task<void> {
    Bytes buffer(64);
    for (;;) {
      const auto size = co_await stream->read_some(buffer);
      if (!size) {
        ended = size.error();
        co_return;
      }
      into += as_text(ByteView(buffer).first(*size));
    }
  }(pair.far, heard, end));
  hand.wait_for([&] { return hand.loop.alive() == 0; });
  CHECK(heard == sent);
  CHECK(end == StreamEnd::finished);
}
