#include <doctest/doctest.h>

#include <algorithm>

#include "base/crc32c.hpp"
#include "journal/anchor.hpp"
#include "support/seed.hpp"
#include "support/temp_dir.hpp"

using namespace nissa;
using namespace nissa::journal;

namespace {

// A file whose unsynced writes a crash may drop, keep or tear, each by itself. It outlives the Anchor.
struct Disk {
  Bytes synced = Bytes(8192);
  struct Write {
    std::uint64_t offset;
    Bytes bytes;
  };
  std::vector<Write> unsynced;
  int operations_left = -1;  // then every operation fails: the machine is dead

  bool dead() { return operations_left == 0 || (operations_left > 0 && --operations_left == 0); }
  static void put(Bytes& file, const Write& write, std::size_t from, std::size_t to) {
    std::copy(write.bytes.begin() + static_cast<std::ptrdiff_t>(from),
              write.bytes.begin() + static_cast<std::ptrdiff_t>(to),
              file.begin() + static_cast<std::ptrdiff_t>(write.offset + from));
  }
  void crash(std::mt19937_64& random) {
    for (const Write& write : unsynced) {
      const auto fate = random() % 4;
      const std::size_t cut = random() % write.bytes.size();
      if (fate == 0) put(synced, write, 0, write.bytes.size());
      if (fate == 1) put(synced, write, 0, cut);
      if (fate == 2) put(synced, write, cut, write.bytes.size());
    }
    unsynced.clear();
    operations_left = -1;
  }
};

class DiskFile final : public AnchorFile {
 public:
  explicit DiskFile(Disk& disk) : disk_(disk) {}
  Result<Bytes> read(std::uint64_t offset, std::size_t size) override {
    return Bytes(disk_.synced.begin() + static_cast<std::ptrdiff_t>(offset),
                 disk_.synced.begin() + static_cast<std::ptrdiff_t>(offset + size));
  }
  Status write(std::uint64_t offset, ByteView bytes) override {
    disk_.unsynced.push_back({offset, Bytes(bytes.begin(), bytes.end())});
    return disk_.dead() ? failure("dead") : Status{};
  }
  Status sync() override {
    if (disk_.dead()) return failure("dead");
    for (const auto& write : disk_.unsynced) Disk::put(disk_.synced, write, 0, write.bytes.size());
    disk_.unsynced.clear();
    return {};
  }

 private:
  Disk& disk_;
};

Anchor anchor_on(Disk& disk) { return Anchor(std::make_unique<DiskFile>(disk)); }

AnchorState state_of(std::uint64_t generation, Lsn lsn) {
  return {.generation = generation, .state_id = 77, .last_lsn = lsn, .database = "state-1.db"};
}

}  // namespace

TEST_CASE("a slot is read as it was written") {
  const AnchorState state{
      .generation = ~0ull, .state_id = 5, .last_lsn = 1ull << 63, .database = std::string(255, 'x')};
  const Bytes slot = encode_slot(state);
  CHECK(slot.size() == anchor_slot_size);
  CHECK(decode_slot(slot) == state);
}

TEST_CASE("every flipped bit of a slot is seen; zeros are blank; a newer version is told from damage") {
  const Bytes slot = encode_slot(state_of(1, 2));
  for (std::size_t bit = 0; bit < slot.size() * 8; ++bit) {
    Bytes flipped = slot;
    flipped[bit / 8] ^= static_cast<Byte>(1u << bit % 8);
    REQUIRE(decode_slot(flipped).error() == SlotFault::damaged);
  }
  CHECK(decode_slot(Bytes(512)).error() == SlotFault::blank);
  Bytes newer = slot;
  newer[8] = format_version + 1;
  const std::uint32_t crc = crc32c(ByteView(newer).first(508));
  std::memcpy(newer.data() + 508, &crc, 4);
  CHECK(decode_slot(newer).error() == SlotFault::newer_version);
  Disk disk;
  std::ranges::copy(newer, disk.synced.begin());
  std::ranges::copy(slot, disk.synced.begin() + 4096);
  CHECK(anchor_on(disk).read().error().damage == Damage::newer_version);
}

TEST_CASE("blank on both sides is a birth cut short, damaged on both is damage, one sound slot is enough") {
  Disk disk;
  CHECK(anchor_on(disk).read().value() == std::nullopt);
  disk.synced[100] = 1;
  CHECK(anchor_on(disk).read().error().damage == Damage::anchor_damaged);
  std::ranges::copy(encode_slot(state_of(3, 4)), disk.synced.begin() + 4096);
  CHECK(anchor_on(disk).read().value() == state_of(3, 4));
}

TEST_CASE("the newer slot wins: by generation first, then by lsn") {
  for (const bool swapped : {false, true}) {
    Disk disk;
    std::ranges::copy(encode_slot(state_of(2, 10)), disk.synced.begin() + (swapped ? 0 : 4096));
    std::ranges::copy(encode_slot(state_of(1, 99)), disk.synced.begin() + (swapped ? 4096 : 0));
    CHECK(anchor_on(disk).read().value() == state_of(2, 10));
    std::ranges::copy(encode_slot(state_of(2, 11)), disk.synced.begin() + (swapped ? 4096 : 0));
    CHECK(anchor_on(disk).read().value() == state_of(2, 11));
  }
}

// The journal here: lsn is durable before advance(lsn). What must hold after any crash: one slot is sound, it is not
// ahead of the journal, and not behind what the last finished sync (or begin) had promised.
TEST_CASE("a crash at any operation leaves a sound slot, never ahead of the journal, never behind the last sync") {
  auto random = nissa::test::random_for(30);
  for (int run = 0; run < 400; ++run) {
    Disk disk;
    Lsn durable = 0;
    AnchorState promised{};
    for (int life = 0; life < 6; ++life) {
      CAPTURE(run);
      CAPTURE(life);
      Anchor anchor = anchor_on(disk);
      const auto found = anchor.read();
      REQUIRE(found);
      if (promised.generation > 0) {
        REQUIRE(found->has_value());
        CHECK((*found)->last_lsn <= durable);
        CHECK((*found)->generation >= promised.generation);
        if ((*found)->generation == promised.generation) CHECK((*found)->last_lsn >= promised.last_lsn);
      }
      disk.operations_left = static_cast<int>(random() % 60);
      AnchorState next = state_of((*found ? (*found)->generation : 0) + 1, durable);
      if (!anchor.begin(next)) {
        disk.crash(random);
        if (promised.generation == 0) disk = Disk{};  // the birth is begun again
        continue;
      }
      promised = next;
      BootNs now = 0;
      for (int step = 0; step < 40 && disk.operations_left != 0; ++step) {
        now += static_cast<BootNs>(random() % (ns_per_s / 2));
        const AnchorState before = anchor.state();
        if (random() % 3 > 0) (void)anchor.advance(++durable);
        if (random() % 3 == 0) {
          const bool clean = disk.unsynced.empty();
          if (anchor.sync_if_due(now) && !clean && disk.unsynced.empty()) promised = anchor.state();
        }
        CHECK(before.last_lsn <= anchor.state().last_lsn);
        // Only one slot between two syncs.
        for (const auto& write : disk.unsynced) CHECK(write.offset == disk.unsynced.front().offset);
      }
      disk.crash(random);
    }
  }
}

TEST_CASE("it is synced at most once a second, and not at all when nothing was written") {
  Disk disk;
  Anchor anchor = anchor_on(disk);
  REQUIRE(anchor.begin(state_of(1, 0)));
  REQUIRE(anchor.sync_if_due(5 * ns_per_s));
  REQUIRE(anchor.advance(1));
  REQUIRE(anchor.sync_if_due(10 * ns_per_s));
  CHECK(disk.unsynced.empty());
  REQUIRE(anchor.advance(2));
  REQUIRE(anchor.sync_if_due(11 * ns_per_s - 1));
  CHECK(disk.unsynced.size() == 1);
  REQUIRE(anchor.sync_if_due(11 * ns_per_s));
  CHECK(disk.unsynced.empty());
}

TEST_CASE("through SQLite's VFS a real file behaves: short reads are zeros, a missing VFS or folder is named") {
  const nissa::test::TempDir directory;
  {
    auto file = open_anchor_file("", directory / "ANCHOR", true);
    REQUIRE(file);
    CHECK((*file)->read(4096, 512).value() == Bytes(512));
    REQUIRE((*file)->write(4096, Bytes(512, 9)));
    REQUIRE((*file)->sync());
  }
  auto file = open_anchor_file("", directory / "ANCHOR", false);
  REQUIRE(file);
  CHECK((*file)->read(4096, 512).value() == Bytes(512, 9));
  CHECK((*file)->read(0, 512).value() == Bytes(512));
  CHECK(open_anchor_file("no-such", directory / "ANCHOR", true).error().message.find("no-such") != std::string::npos);
  CHECK(!open_anchor_file("", directory / "missing/ANCHOR", true));
}
