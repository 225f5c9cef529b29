#include "journal/disk_room.hpp"

#include <sys/statvfs.h>

#include <algorithm>

namespace nissa::journal {

std::uint64_t DiskRoom::needed(std::optional<std::uint64_t> configured, std::uint64_t used_bytes) {
  return configured ? *configured : std::max(least_by_default, 2 * used_bytes);
}

bool DiskRoom::look(std::uint64_t free_bytes, std::uint64_t needed_bytes) {
  const std::uint64_t enough = short_ ? needed_bytes + needed_bytes / 2 : needed_bytes;
  short_ = free_bytes < enough;
  return short_;
}

std::optional<std::uint64_t> free_bytes_of(const std::string& directory) {
  struct statvfs disk{};
  if (statvfs(directory.c_str(), &disk) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MiB"; }

}  // namespace nissa::journal
