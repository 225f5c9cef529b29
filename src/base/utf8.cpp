#include "base/utf8.hpp"

namespace nissa {

// The second byte's range depends on the first (that is what keeps overlong forms, surrogates and the far end out); all
// further ones are 80 to BF.
std::size_t utf8_sequence(ByteView text) {
  if (text.empty()) return 0;
  const Byte* const at = text.data();
  const Byte first = at[0];
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                           : first >= 0xe0 && first <= 0xef ? 3
                           : first >= 0xf0 && first <= 0xf4 ? 4
                                                            : 0;
  if (size == 0 || size > text.size()) return 0;
  const Byte low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const Byte high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at[1] < low || at[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i)
    if ((at[i] & 0xc0) != 0x80) return 0;
  return size;
}

bool valid_utf8_slow(ByteView text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_sequence(text.subspan(at));
    if (size == 0) return false;
    at += size;
  }
  return true;
}

}  // namespace nissa
