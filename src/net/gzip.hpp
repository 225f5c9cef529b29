// gzip bodies (RFC 1952), inflated a slice at a time, so that no slice of work is long and no body grows without bound.
// zlib stands behind it. Pure; about 3 ns a byte of output.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"

namespace nissa::net {

enum class InflateStep : std::uint8_t {
  more,       // a slice was done; call again
  done,       // all is inflated, its checksum is right, and nothing follows
  too_large,  // it inflates to more than the limit
  broken,     // not gzip, damaged, cut off, or followed by something else
};
constexpr const char* name_of(InflateStep step) {
  constexpr const char* names[] = {"more", "done", "too large", "broken"};
  return names[static_cast<int>(step)];
}

class Gunzip {
 public:
  // So much output a step: 0.2 to 0.7 ms.
  static constexpr std::size_t slice_bytes = std::size_t{128} << 10;

  // `compressed` outlives it. Never holds more than `limit` bytes of output; one allocation, made as output comes.
  Gunzip(ByteView compressed, std::size_t limit);
  ~Gunzip();

  InflateStep step();
  // After done.
  Bytes take();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace nissa::net
