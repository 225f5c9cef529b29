// What the operator may set about the journal.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace nissa::journal {

struct Options {
  std::string directory;  // state_dir: the database, ANCHOR and the lock; created if only its last part is missing
  // A write-ahead log longer than this is moved into the database between two groups. A longer one means fewer but
  // longer pauses; the file itself grows to about twice this.
  std::uint64_t checkpoint_bytes = 8u << 20;
  std::uint64_t cache_bytes = 16u << 20;  // of database pages; recovery does not need it, trim does
  // With less than this free on the disk no batch is taken, until there is half as much again. nullopt: 256 MiB, or
  // twice the database where that is more, so that a new file has room beside it. 0: the disk is filled.
  std::optional<std::uint64_t> min_free_bytes;
  // The database grows no further: commits then answer `full`. 0: as far as the disk goes.
  std::uint64_t max_database_bytes = 0;
  // Where backups go: each a new folder in it, which is made if only its last part is missing. Empty: none are made.
  std::string backup_directory;
  std::string vfs;  // name of a registered SQLite VFS, for tests; empty: the system's
};

}  // namespace nissa::journal
