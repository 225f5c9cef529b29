// What is bound to records and rows so that damage is seen: a CRC for each, and a digest for all rows together.
// docs/journal-format.md, "What is checked". Pure.
#pragma once
#include <cstdint>

#include "base/bytes.hpp"
#include "journal/journal.hpp"

namespace nissa::journal {

// What the last record vouches for about all rows, so that a lost one is seen: their number, and the sum of their
// scrambled CRCs, which does not depend on their order.
struct RowDigest {
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  void add(std::uint32_t crc);
  void remove(std::uint32_t crc);
  bool operator==(const RowDigest&) const = default;
};

// What is bound to a record or row by its CRC32C: itself, its key, and for a record the digest too.
std::uint32_t record_crc(Lsn lsn, const RowDigest& rows, ByteView bytes);
std::uint32_t row_crc(ByteView key, std::uint64_t generation, ByteView value);

}  // namespace nissa::journal
