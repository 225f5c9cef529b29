#include "base/hex_text.hpp"

#include <doctest/doctest.h>

using namespace nissa;

TEST_CASE("a number of 64 bits is always 16 digits, so that ids are compared by the eye and by programs") {
  CHECK(hex_text(0) == "0000000000000000");
  CHECK(hex_text(0xABC) == "0000000000000abc");
  CHECK(hex_text(0x1122334455667788) == "1122334455667788");
  CHECK(hex_text(UINT64_MAX) == "ffffffffffffffff");
}
