#include "journal/row_digest.hpp"

#include "base/crc32c.hpp"

namespace nissa::journal {
namespace {

// SplitMix64's finaliser (Steele, Lea, Flood 2014): so that the CRCs' linearity does not survive in the sum.
std::uint64_t scrambled(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

}  // namespace

void RowDigest::add(std::uint32_t crc) {
  ++count;
  sum += scrambled(crc);
}
void RowDigest::remove(std::uint32_t crc) {
  --count;
  sum -= scrambled(crc);
}

std::uint32_t record_crc(Lsn lsn, const RowDigest& rows, ByteView bytes) {
  Bytes head;
  ByteWriter out(head);
  out.fixed(lsn);
  out.fixed(rows.count);
  out.fixed(rows.sum);
  return crc32c(bytes, crc32c(head));
}

std::uint32_t row_crc(ByteView key, std::uint64_t generation, ByteView value) {
  Bytes head;
  ByteWriter out(head);
  out.fixed(generation);
  out.fixed(static_cast<std::uint32_t>(key.size()));
  out.raw(key);
  return crc32c(value, crc32c(head));
}

}  // namespace nissa::journal
