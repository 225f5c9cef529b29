#include "base/nearest_name.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace nissa;

TEST_CASE("the nearest name is found within a third of its length, else none") {
  const std::array<std::string_view, 3> known{"objective", "operation", "service"};
  CHECK(nearest_name("objektive", known) == "objective");
  CHECK(nearest_name("operations", known) == "operation");
  CHECK(nearest_name("zzz", known).empty());
}

TEST_CASE("of two that are equally near the first is named") {
  const std::array<std::string_view, 2> known{"shop-b", "shop-c"};
  CHECK(nearest_name("shop-a", known) == "shop-b");
}

TEST_CASE("distance counts what is inserted, deleted or replaced") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("ab", "ba") == 2);
}

TEST_CASE("a name of a very different length is not looked at") {
  NearestName nearest("checkout");
  nearest.consider(std::string(100'000, 'c'));
  CHECK(nearest.name().empty());
}
