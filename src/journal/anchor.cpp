#include "journal/anchor.hpp"

#include <sqlite3.h>

#include <cstdlib>
#include <new>

namespace nissa::journal {
namespace {

class VfsFile final : public AnchorFile {
 public:
  VfsFile(std::string path, std::unique_ptr<std::byte[]> memory)
      : path_(std::move(path)), memory_(std::move(memory)), file_(reinterpret_cast<sqlite3_file*>(memory_.get())) {}
  ~VfsFile() override {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
    sqlite3_free_filename(name_);
  }
  Status open(sqlite3_vfs* vfs, int flags) {
    // The VFS wants a name with SQLite's terminators, and keeps the pointer.
    name_ = sqlite3_create_filename(path_.c_str(), "", "", 0, nullptr);
    if (name_ == nullptr) return said("open", SQLITE_NOMEM);
    const int code = vfs->xOpen(vfs, name_, file_, flags, nullptr);
    return code == SQLITE_OK ? Status{} : said("open", code);
  }
  Result<Bytes> read(std::uint64_t offset, std::size_t size) override {
    Bytes bytes(size);
    const int code =
        file_->pMethods->xRead(file_, bytes.data(), static_cast<int>(size), static_cast<long long>(offset));
    // A short read fills the rest with zeros.
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return std::unexpected(said("read", code).error());
    return bytes;
  }
  Status write(std::uint64_t offset, ByteView bytes) override {
    const int code =
        file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), static_cast<long long>(offset));
    return code == SQLITE_OK ? Status{} : said("write", code);
  }
  Status sync() override {
    const int code = file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL);
    return code == SQLITE_OK ? Status{} : said("sync", code);
  }

 private:
  Status said(std::string_view what, int code) const {
    return failure(path_ + ": " + std::string(what) + ": " + sqlite3_errstr(code));
  }
  std::string path_;
  std::unique_ptr<std::byte[]> memory_;
  sqlite3_file* file_;
  const char* name_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<AnchorFile>> open_anchor_file(const std::string& vfs_name, const std::string& path,
                                                     bool create) {
  sqlite3_initialize();
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  if (vfs == nullptr) return failure("no SQLite VFS is named \"" + vfs_name + "\"");
  auto file = std::make_unique<VfsFile>(path, std::make_unique<std::byte[]>(static_cast<std::size_t>(vfs->szOsFile)));
  // Opened as a super-journal: for these a VFS makes the folder entry durable with the first sync.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_SUPER_JOURNAL | (create ? SQLITE_OPEN_CREATE : 0);
  if (auto opened = file->open(vfs, flags); !opened) return std::unexpected(opened.error());
  return file;
}

}  // namespace nissa::journal
