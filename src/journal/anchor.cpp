#include "journal/anchor.hpp"

#include <sqlite3.h>

#include "journal/sqlite_vfs_file.hpp"

namespace nissa::journal {

Result<std::unique_ptr<AnchorFile>> open_anchor_file(const std::string& vfs, const std::string& path, bool create) {
  // Opened as a super-journal: for these a VFS makes the folder entry durable with the first sync.
  return VfsFile::open(vfs, path,
                       SQLITE_OPEN_READWRITE | SQLITE_OPEN_SUPER_JOURNAL | (create ? SQLITE_OPEN_CREATE : 0));
}

}  // namespace nissa::journal
