// A piece of a file, whole where the file has it.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace nissa::tools {

// How many bytes; fewer where the file ends. Negative: errno says why.
ssize_t read_at(int descriptor, std::uint64_t from, std::span<Byte> into);

}  // namespace nissa::tools
