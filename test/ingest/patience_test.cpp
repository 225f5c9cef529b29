#include "ingest/patience.hpp"

#include <doctest/doctest.h>

#include "support/printers.hpp"

namespace nissa::ingest {
namespace {

constexpr std::int64_t s = ns_per_s;
const Options limits;

TEST_CASE("no Hello within its time, whatever else is said") {
  Patience patience(100 * s);
  CHECK_FALSE(patience.over(110 * s - 4, limits).has_value());
  CHECK(patience.over(110 * s, limits) == Reason::hello_expected);
  patience.idle(109 * s);
  CHECK(patience.over(110 * s, limits) == Reason::hello_expected);
  patience.greeted();
  CHECK_FALSE(patience.over(110 * s, limits).has_value());
}

TEST_CASE("a frame's time runs from its first byte, an idle one's from the last") {
  Patience patience(0);
  patience.greeted();
  patience.frame(10 * s);
  patience.frame(19 * s);
  CHECK_FALSE(patience.over(20 * s - 4, limits).has_value());
  CHECK(patience.over(20 * s, limits) == Reason::slow_frame);
  patience.work();
  CHECK_FALSE(patience.over(1'000 * s, limits).has_value());
  patience.idle(30 * s);
  patience.idle(40 * s);
  CHECK_FALSE(patience.over(100 * s - 4, limits).has_value());
  CHECK(patience.over(100 * s, limits) == Reason::idle);
}

TEST_CASE("time that we hold it is not its own: neither the frame's nor that for the Hello") {
  Patience patience(0);
  patience.frame(1 * s);
  const auto held = patience.hold(3 * s);
  CHECK_FALSE(patience.over(500 * s, limits).has_value());
  patience.go_on(held, 503 * s);
  CHECK_FALSE(patience.over(509 * s, limits).has_value());  // 2 s before and 6 s after
  CHECK(patience.over(510 * s + 4, limits) == Reason::hello_expected);
  patience.greeted();
  CHECK_FALSE(patience.over(510 * s + 4, limits).has_value());
  CHECK(patience.over(511 * s + 4, limits) == Reason::slow_frame);
}

TEST_CASE("a frame stands when it has been half sent for long; an idle connection does not") {
  Patience patience(0);
  CHECK_FALSE(patience.frame_stands(100 * s, s));
  patience.frame(100 * s);
  CHECK_FALSE(patience.frame_stands(101 * s - 4, s));
  CHECK(patience.frame_stands(101 * s, s));
}

}  // namespace
}  // namespace nissa::ingest
