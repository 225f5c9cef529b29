#include "slo/row.hpp"

#include <doctest/doctest.h>

using namespace nissa::slo;

TEST_CASE("a row that outgrows 32 bits is promoted as a whole and never wraps") {
  Row row;
  row.begin(7);
  const std::size_t narrow_bytes = row.memory_bytes();
  row.add(0, {3, 5});
  row.add(255, {4'294'967'295, 4'294'967'295});
  CHECK(row.memory_bytes() == narrow_bytes);
  row.add(255, {0, 1});
  CHECK(row.memory_bytes() == 2 * narrow_bytes);
  CHECK(row.at(255) == Counts{4'294'967'295, 4'294'967'296});
  CHECK(row.at(0) == Counts{3, 5});
  row.add(1, {1'000'000'000'000, 1'000'000'000'001});
  CHECK(row.at(1) == Counts{1'000'000'000'000, 1'000'000'000'001});
  CHECK(row.period() == 7);
}

TEST_CASE("a count of more than 32 bits at once promotes too") {
  Row row;
  row.begin(0);
  row.add(9, {1ULL << 40, 1ULL << 40});
  CHECK(row.at(9) == Counts{1ULL << 40, 1ULL << 40});
}

TEST_CASE("a row begun for another period holds nothing of the one before, and is small again") {
  Row row;
  row.begin(1);
  row.add(4, {1, 2});
  row.begin(2);
  CHECK(row.at(4) == Counts{});
  row.add(4, {1ULL << 33, 1ULL << 33});
  row.begin(3);
  CHECK(row.at(4) == Counts{});
  CHECK(row.memory_bytes() == 2048);
  row.release();
  CHECK(row.empty());
  CHECK(row.memory_bytes() == 0);
}
