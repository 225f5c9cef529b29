#include "tools/state_file.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "support/seed.hpp"
#include "support/temp_dir.hpp"

namespace nissa::tools::test {
namespace {

SendState random_state(std::mt19937_64& random) {
  SendState state;
  state.path = std::string(random() % 50, 'p');
  state.meaning = random();
  state.changed_ns = static_cast<std::int64_t>(random());
  const auto point = [&random] {
    FilePoint one;
    one.inode = random();
    one.offset = 300 + random() % 1'000'000;
    one.tail_size = static_cast<std::uint32_t>(random() % 257);
    one.tail_crc = static_cast<std::uint32_t>(random());
    one.changed_ns = static_cast<std::int64_t>(random());
    return one;
  };
  for (std::uint64_t n = random() % most_reading; n > 0; --n) state.reading.push_back(point());
  for (std::uint64_t n = random() % most_done; n > 0; --n) state.done.push_back(point());
  for (std::uint64_t n = random() % most_cuts; n > 0; --n) {
    Cut cut;
    cut.key = {random() | 1, static_cast<Priority>(1 + random() % 4), random() | 1};
    cut.epoch_seen = {random(), random()};
    cut.inode = random();
    cut.from = random() % 1'000;
    cut.to = cut.from + 1 + random() % 1'000;
    cut.crc = static_cast<std::uint32_t>(random());
    cut.events = static_cast<std::uint32_t>(1 + random() % 1'000);
    state.cuts.push_back(cut);
  }
  return state;
}

SendState full_state() {
  auto random = nissa::test::random_for(90);
  SendState state = random_state(random);
  state.path = std::string(longest_path, 'p');
  state.reading.resize(most_reading);
  state.done.resize(most_done);
  state.cuts.assign(most_cuts, Cut{{1, Priority::low, 1}, {}, 1, 0, 1, 1, 1});
  return state;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_CASE("a state comes back as it was written, and its bound fits its slot") {
  auto random = nissa::test::random_for(91);
  for (int round = 0; round < 200; ++round) {
    const SendState state = round == 0 ? full_state() : random_state(random);
    Bytes bytes;
    encode(bytes, state);
    CHECK(bytes.size() <= largest_state);
    const auto back = decode_send_state(bytes);
    REQUIRE(back);
    CHECK(*back == state);
    bytes.pop_back();
    CHECK_FALSE(decode_send_state(bytes));
  }
  SendState beyond = full_state();
  beyond.cuts.push_back(beyond.cuts[0]);
  CHECK_FALSE(within_bounds(beyond));
}

TEST_CASE("the state that was stored last is read, whatever a cut-short write left of the one after it") {
  auto random = nissa::test::random_for(92);
  const nissa::test::TempDir dir;
  const std::string path = dir / "state";
  SendState last;
  for (int round = 0; round < 60; ++round) {
    StateFile file;
    const auto opened = file.open(path);
    REQUIRE(opened);
    if (round == 0)
      CHECK_FALSE(opened->has_value());
    else
      CHECK(**opened == last);
    last = random_state(random);
    for (std::uint64_t n = random() % 3; n > 0; --n) REQUIRE(file.store(random_state(random)));
    REQUIRE(file.store(last));
    // The next write is cut short: some of its bytes are there, in the slot that is not the last one's.
    std::fstream raw(path, std::ios::in | std::ios::out | std::ios::binary);
    std::string both(128 * 1024, '\0');
    raw.read(both.data(), static_cast<std::streamsize>(both.size()));
    std::uint64_t numbers[2];
    for (int slot = 0; slot < 2; ++slot) std::memcpy(&numbers[slot], both.data() + slot * 65'536 + 16, 8);
    const int older = numbers[0] < numbers[1] ? 0 : 1;
    raw.seekp(older * 65'536 + static_cast<int>(random() % 200));
    raw << "torn";
  }
}

TEST_CASE("another process is refused by name, and so are other files and damaged ones") {
  const nissa::test::TempDir dir;
  StateFile first, second;
  REQUIRE(first.open(dir / "state"));
  REQUIRE(first.store(SendState()));
  const auto refused = second.open(dir / "state");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("in use by another nissa-send") != std::string::npos);

  std::ofstream(dir / "other") << std::string(200, 'x');
  StateFile other;
  CHECK(other.open(dir / "other").error().message.find("is no state file") != std::string::npos);
  StateFile nowhere;
  CHECK(nowhere.open(dir / "no/such").error().message.find("No such file") != std::string::npos);

  {
    StateFile damaged;
    REQUIRE(damaged.open(dir / "damaged"));
    REQUIRE(damaged.store(SendState()));
  }
  {
    std::fstream raw(dir / "damaged", std::ios::in | std::ios::out | std::ios::binary);
    for (const int at : {20, 65'536 + 20}) {
      raw.seekp(at);
      raw << "damage";
    }
  }
  StateFile damaged;
  CHECK(damaged.open(dir / "damaged").error().message.find("is damaged") != std::string::npos);
}

TEST_CASE("a file of a newer version is refused as that, though one slot is still of this one, and left as it is") {
  for (const int newer : {0b01, 0b10, 0b11}) {
    CAPTURE(newer);
    const nissa::test::TempDir dir;
    const std::string path = dir / "state";
    {
      StateFile file;
      REQUIRE(file.open(path));
      REQUIRE(file.store(SendState()));
    }
    for (const int slot : {0, 1}) {
      if ((newer >> slot & 1) == 0) continue;
      std::fstream raw(path, std::ios::in | std::ios::out | std::ios::binary);
      raw.seekp(slot * 65'536);
      raw << "ISSEND-2";
    }
    const std::string before = bytes_of(path);
    StateFile file;
    const auto refused = file.open(path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.contains("was written by a newer nissa-send"));
    CHECK(refused.error().message.contains("use that one"));
    CHECK(bytes_of(path) == before);
  }
}

TEST_CASE("a start that was cut short before its first store is a new one") {
  const nissa::test::TempDir dir;
  {
    StateFile file;
    REQUIRE(file.open(dir / "state"));
  }
  StateFile file;
  const auto opened = file.open(dir / "state");
  REQUIRE(opened);
  CHECK_FALSE(opened->has_value());
}

}  // namespace
}  // namespace nissa::tools::test
