// 64 random bits from the operating system: epochs must be unlike any other agent's, past or to come.
#pragma once
#include <cstdint>

namespace nissa::client {

// Any thread; about 0.3 µs. Waits only at the machine's boot, before the kernel has gathered randomness.
std::uint64_t os_random_bits();

}  // namespace nissa::client
