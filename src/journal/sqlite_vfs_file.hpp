// A file of the journal's that SQLite's VFS opens for us: so that a test's VFS covers it too, and because closing a
// descriptor of our own would give up the locks that SQLite holds on the same file (they are the process's).
#pragma once
#include <memory>
#include <string>

#include "journal/anchor.hpp"

struct sqlite3_file;
struct sqlite3_vfs;

namespace nissa::journal {

// Of that name; empty: the system's. nullptr: none is registered.
sqlite3_vfs* vfs_named(const std::string& name);

class VfsFile final : public AnchorFile {
 public:
  // `vfs_name`: empty for the system's. `flags` are SQLite's, of xOpen.
  static Result<std::unique_ptr<VfsFile>> open(const std::string& vfs_name, const std::string& path, int flags);
  ~VfsFile() override;

  Result<Bytes> read(std::uint64_t offset, std::size_t size) override;
  Status write(std::uint64_t offset, ByteView bytes) override;
  Status sync() override;
  Result<std::uint64_t> size();

 private:
  VfsFile(std::string path, sqlite3_vfs& vfs);
  Status said(std::string_view what, int code) const;

  std::string path_;
  std::unique_ptr<std::byte[]> memory_;
  sqlite3_file* file_;
  const char* name_ = nullptr;
};

}  // namespace nissa::journal
