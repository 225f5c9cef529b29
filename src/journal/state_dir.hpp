// The directory of a state: made, locked for one process, made durable.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "journal/journal.hpp"

namespace nissa::journal {

// Holds `DIR/lock` (flock) until destroyed or the process ends, by whatever death. The file holds our pid, so that
// whoever is refused can say by whom. It is never deleted: a deleted lock would be two.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  // Makes the directory if only its last part is missing (a whole missing path is more likely a missing mount).
  JournalStatus acquire(const std::string& directory);
  // Its name leads to another file system by now: the one that it is on was unmounted, or another one mounted over it.
  bool is_elsewhere() const;

 private:
  std::string directory_;
  std::uint64_t device_ = 0;
  int file_ = -1;
};

// Makes the entries of the directory durable.
JournalStatus sync_directory(const std::string& directory);

// Which file bears a name: another one, once that was deleted or replaced.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// nullopt: none is there, or it cannot be looked at.
std::optional<FileIdentity> identity_of(const std::string& path);

// Random, from the system.
JournalResult<StateId> draw_state_id();

}  // namespace nissa::journal
