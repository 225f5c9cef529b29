// A backup of a state that is in use, as values. How one is made: sqlite_backup.hpp.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace nissa::journal {

struct BackupMade {
  std::string directory;
  std::uint64_t state_id = 0;  // of the state it is a copy of
  std::uint64_t lsn = 0;       // the last record that it holds
  std::uint64_t bytes = 0;
  std::int64_t took_ms = 0;
};

enum class BackupFault : std::uint8_t {
  no_directory,   // nobody said where to: backup_directory
  under_way,      // one at a time
  journal_fails,  // the file in use is not trusted
  no_room,        // on the disk of backup_directory; nothing was written
  overtaken,      // more came meanwhile than the log may hold; or the state went on in another file
  stopping,
  failed,
};
struct BackupError {
  BackupFault fault = BackupFault::failed;
  std::string message;
};

using BackupResult = std::expected<BackupMade, BackupError>;
using BackupDone = std::move_only_function<void(BackupResult)>;

}  // namespace nissa::journal
