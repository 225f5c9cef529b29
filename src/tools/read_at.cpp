#include "tools/read_at.hpp"

#include <unistd.h>

#include <cerrno>

namespace nissa::tools {

ssize_t read_at(int descriptor, std::uint64_t from, std::span<Byte> into) {
  std::size_t size = 0;
  while (size < into.size()) {
    const ssize_t got = pread(descriptor, into.data() + size, into.size() - size, static_cast<off_t>(from + size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace nissa::tools
