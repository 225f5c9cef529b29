// A file that SQLite has open, copied as it lies there. Blocking.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <string>

#include "journal/backup.hpp"

namespace nissa::journal {

struct FileCopy {
  std::string vfs;  // of `from`; `to` is the system's
  std::string from;
  std::string to;                                             // made; may not be there yet
  bool is_log = false;                                        // else a database
  std::uint64_t bytes = UINT64_MAX;                           // from the begin; to the end where that comes first
  std::function<std::expected<void, BackupError>()> goes_on;  // asked before each piece
};
// On the disk when it returns. It is synced every 8 MiB, so that no sync of the journal's waits behind a large one.
std::expected<void, BackupError> copy_file(const FileCopy& copy);

}  // namespace nissa::journal
