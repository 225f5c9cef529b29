#include "wire/utf8.hpp"

namespace nissa::wire {
namespace {

// How many bytes the sequence at `at` has, if it is well-formed; else 0. The second byte's range depends on the first
// (that is what keeps overlong forms, surrogates and the far end out); all further ones are 80 to BF.
std::size_t sequence_size(const Byte* at, std::size_t left) {
  const Byte first = at[0];
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : first >= 0xe0 && first <= 0xef ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || size > left) return 0;
  const Byte low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const Byte high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < low || at[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return size;
}

}  // namespace

bool valid_utf8_slow(ByteView text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = sequence_size(text.data() + at, text.size() - at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace nissa::wire
