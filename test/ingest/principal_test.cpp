#include "ingest/principal.hpp"

#include <doctest/doctest.h>

namespace nissa::ingest {
namespace {

TEST_CASE("an IPv4 address is a principal of its own, of an IPv6 address its first 64 bits") {
  CHECK(principal_of({"10.1.2.3", 5, false}) == "10.1.2.3");
  CHECK(principal_of({"2001:db8:1:2:3:4:5:6", 5, false}) == "2001:db8:1:2::/64");
  CHECK(principal_of({"2001:db8:1:2:ffff::1", 9, false}) == principal_of({"2001:db8:1:2::7", 5, false}));
  CHECK(principal_of({"2001:db8:1:3::1", 5, false}) != principal_of({"2001:db8:1:2::1", 5, false}));
  CHECK(principal_of({"::1", 5, true}) == "::1");
  CHECK(principal_of({"memory", 0, false}) == "memory");
}

TEST_CASE("the port is no part of it: a sender with many connections is one sender") {
  CHECK(sender_id_of(principal_of({"10.1.2.3", 5, false})) == sender_id_of(principal_of({"10.1.2.3", 6, false})));
  CHECK(sender_id_of(principal_of({"10.1.2.3", 5, false})) != sender_id_of(principal_of({"10.1.2.4", 5, false})));
}

}  // namespace
}  // namespace nissa::ingest
