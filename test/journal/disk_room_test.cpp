#include "journal/disk_room.hpp"

#include <doctest/doctest.h>

namespace nissa::journal {
namespace {

constexpr std::uint64_t mib = 1u << 20;

TEST_CASE("room that was short is enough again only with half as much more than what it was short of") {
  DiskRoom room;
  CHECK_FALSE(room.look(100, 100));
  CHECK(room.look(99, 100));
  CHECK(room.look(100, 100));
  CHECK(room.look(149, 100));
  CHECK_FALSE(room.look(150, 100));
  CHECK_FALSE(room.look(100, 100));
  CHECK(room.look(99, 100));
}

TEST_CASE(
    "what has to be free is what the file says, else room for a new file beside the one in use, and never little") {
  CHECK(DiskRoom::needed(7, 500 * mib) == 7);
  CHECK(DiskRoom::needed(0, 500 * mib) == 0);
  CHECK(DiskRoom::needed(std::nullopt, 500 * mib) == 1'000 * mib);
  CHECK(DiskRoom::needed(std::nullopt, 0) == 256 * mib);
}

}  // namespace
}  // namespace nissa::journal
