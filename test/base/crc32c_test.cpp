#include "base/crc32c.hpp"

#include <doctest/doctest.h>

#include "support/seed.hpp"

namespace {

std::uint32_t bit_by_bit(nissa::ByteView bytes) {
  std::uint32_t crc = ~0u;
  for (const nissa::Byte byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
  }
  return ~crc;
}

}  // namespace

TEST_CASE("the check value of the standard") { CHECK(nissa::crc32c(nissa::as_bytes("123456789")) == 0xE3069283u); }

TEST_CASE("any length, by either way, agrees with the bit-by-bit definition, also when continued in the middle") {
  auto random = nissa::test::random_for(1);
  for (int round = 0; round < 300; ++round) {
    nissa::Bytes bytes(random() % 5000);
    for (auto& byte : bytes) byte = static_cast<nissa::Byte>(random());
    const std::size_t cut = bytes.empty() ? 0 : random() % bytes.size();
    const nissa::ByteView all = bytes;
    CHECK(nissa::crc32c(all) == bit_by_bit(all));
    CHECK(nissa::crc32c(all.subspan(cut), nissa::crc32c(all.first(cut))) == bit_by_bit(all));
    CHECK(nissa::crc32c_by_streams(all.subspan(cut), nissa::crc32c_by_streams(all.first(cut))) == bit_by_bit(all));
  }
}
