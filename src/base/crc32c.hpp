// CRC-32C (Castagnoli, reflected 0x82F63B78, as in iSCSI, RFC 3720 B.4). From 1 KiB on by carry-less multiplication
// where the processor can, 0.02 ns a byte; else by its CRC instruction, 0.04 ns a byte.
#pragma once
#include <cstdint>

#include "base/bytes.hpp"

namespace nissa {

// `before` continues: crc32c(b, crc32c(a)) == crc32c(a + b).
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

// The same by the CRC instruction alone, in three streams that hide its latency of 3 cycles: what crc32c() is on other
// processors, for the tests.
std::uint32_t crc32c_by_streams(ByteView bytes, std::uint32_t before = 0);

}  // namespace nissa
