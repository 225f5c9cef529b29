// Is there room enough on the disk to go on taking batches? Before it is full, for what stands then (a commit that
// fails in its middle, a new file that finds no place) is worse than refusing in time. Pure but for free_bytes_of.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace nissa::journal {

class DiskRoom {
 public:
  static constexpr std::uint64_t least_by_default = 256u << 20;

  // What has to be free: as configured, or enough for a new file beside what lies there now.
  static std::uint64_t needed(std::optional<std::uint64_t> configured, std::uint64_t used_bytes);

  // Short below `needed`, until there is half as much again: so that it does not go to and fro with each group.
  bool look(std::uint64_t free_bytes, std::uint64_t needed_bytes);

 private:
  bool short_ = false;
};

// Of the file system that `directory` lies on, for this process. nullopt: it cannot be asked. May block as the disk
// does.
std::optional<std::uint64_t> free_bytes_of(const std::string& directory);

// For messages: whole ones, rounded up.
std::string mebibytes(std::uint64_t bytes);

}  // namespace nissa::journal
