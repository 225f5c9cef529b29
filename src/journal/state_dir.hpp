// The directory of a state: made, locked for one process, made durable.
#pragma once
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

 private:
  int file_ = -1;
};

// Makes the entries of the directory durable.
JournalStatus sync_directory(const std::string& directory);

// Random, from the system.
JournalResult<StateId> draw_state_id();

}  // namespace nissa::journal
