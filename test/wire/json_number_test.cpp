#include "wire/json_number.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <regex>
#include <string>

#include "support/seed.hpp"

using namespace nissa;

TEST_CASE("what is a number is what the grammar says, and it is worth what it says") {
  const std::regex grammar("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  const std::regex whole("-?(0|[1-9][0-9]*)");
  auto random = test::random_for(66);
  int numbers = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string text(1 + random() % 6, ' ');
    for (char& c : text) c = "0123456789012-.eE+"[random() % 18];
    CAPTURE(text);
    const char* at = text.data();
    wire::JsonNumber number;
    const bool is_number = wire::scan_number(at, text.data() + text.size(), number) && at == text.data() + text.size();
    REQUIRE(is_number == std::regex_match(text, grammar));
    if (!is_number) continue;
    ++numbers;
    REQUIRE(number.whole == std::regex_match(text, whole));
    const double literal = std::strtod(text.c_str(), nullptr);
    double value = 0;
    REQUIRE(wire::to_double(number, value) == std::isfinite(literal));
    if (!std::isfinite(literal)) continue;
    REQUIRE(value == literal);
    REQUIRE(wire::make_whole(number) == (std::trunc(literal) == literal));
    if (!number.whole) continue;
    REQUIRE(number.fits == (std::fabs(literal) < 18446744073709551616.0));
    if (number.fits) REQUIRE(static_cast<double>(number.magnitude) == std::fabs(literal));
    REQUIRE(number.negative == (text[0] == '-'));
  }
  CHECK(numbers > 5000);
}

TEST_CASE("64 bits hold what they hold, to the last digit") {
  const auto scanned = [](std::string_view text) {
    const char* at = text.data();
    wire::JsonNumber number;
    CHECK(wire::scan_number(at, text.data() + text.size(), number));
    return number;
  };
  CHECK(scanned("18446744073709551615").fits);
  CHECK(scanned("18446744073709551615").magnitude == 18446744073709551615u);
  CHECK_FALSE(scanned("18446744073709551616").fits);
  CHECK_FALSE(scanned("18446744073709551620").fits);
  CHECK_FALSE(scanned("99999999999999999999").fits);
  CHECK(scanned("9999999999999999999").fits);
  CHECK_FALSE(scanned("100000000000000000000").fits);
  CHECK_FALSE(scanned("-18446744073709551616").fits);
}
