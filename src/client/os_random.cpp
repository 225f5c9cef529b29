#include "client/os_random.hpp"

#include <sys/random.h>

#include <cerrno>

#include "base/violation.hpp"

namespace nissa::client {

std::uint64_t os_random_bits() {
  std::uint64_t bits = 0;
  for (;;) {
    const ssize_t got = getrandom(&bits, sizeof bits, 0);
    if (got == static_cast<ssize_t>(sizeof bits)) return bits;
    if (got < 0 && errno == EINTR) continue;
    // No kernel since 3.17 comes here. 0 is never an epoch: the caller asks again, and the violation says why.
    violation("client", "the operating system gives random bits");
    return 0;
  }
}

}  // namespace nissa::client
