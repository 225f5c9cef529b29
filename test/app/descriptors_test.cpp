#include "app/descriptors.hpp"

#include <doctest/doctest.h>

#include "base/descriptor_limit.hpp"

using nissa::no_descriptor_limit;
using nissa::app::connections_within;

TEST_CASE("as many connections as configured, where the limit bears them") {
  CHECK(connections_within(no_descriptor_limit, 100'000) == 100'000);
  CHECK(connections_within(1 << 20, 10'000) == 10'000);
  CHECK(connections_within(11'112, 10'000) == 10'000);
}

TEST_CASE("else 32 descriptors are kept back, or a tenth where that is more") {
  CHECK(connections_within(64, 10'000) == 32);
  CHECK(connections_within(320, 10'000) == 288);
  CHECK(connections_within(1'024, 10'000) == 922);
  CHECK(connections_within(10'000, 10'000) == 9'000);
}

TEST_CASE("never none, for a server that takes nobody looks like one that hangs") {
  for (const std::uint64_t limit : {0, 1, 31, 32, 33}) CHECK(connections_within(limit, 10'000) == 1);
  CHECK(connections_within(34, 10'000) == 2);
}

TEST_CASE("a larger limit never bears fewer connections, and what it bears leaves the reserve") {
  std::uint32_t before = 0;
  for (std::uint64_t limit = 0; limit < 20'000; ++limit) {
    const std::uint32_t borne = connections_within(limit, 100'000);
    CHECK(borne >= before);
    if (limit > 32) CHECK(borne + 32 <= limit);
    before = borne;
  }
}
