#include "journal/sqlite_vfs_file.hpp"

#include <sqlite3.h>

namespace nissa::journal {

sqlite3_vfs* vfs_named(const std::string& name) { return sqlite3_vfs_find(name.empty() ? nullptr : name.c_str()); }

VfsFile::VfsFile(std::string path, sqlite3_vfs& vfs)
    : path_(std::move(path)),
      memory_(std::make_unique<std::byte[]>(static_cast<std::size_t>(vfs.szOsFile))),
      file_(reinterpret_cast<sqlite3_file*>(memory_.get())) {}

VfsFile::~VfsFile() {
  if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
  sqlite3_free_filename(name_);
}

Result<std::unique_ptr<VfsFile>> VfsFile::open(const std::string& vfs_name, const std::string& path, int flags) {
  sqlite3_initialize();
  sqlite3_vfs* vfs = vfs_named(vfs_name);
  if (vfs == nullptr) return failure("no SQLite VFS is named \"" + vfs_name + "\"");
  std::unique_ptr<VfsFile> file(new VfsFile(path, *vfs));
  // The VFS wants a name with SQLite's terminators, and keeps the pointer.
  file->name_ = sqlite3_create_filename(path.c_str(), "", "", 0, nullptr);
  const int code = file->name_ == nullptr ? SQLITE_NOMEM : vfs->xOpen(vfs, file->name_, file->file_, flags, nullptr);
  if (code != SQLITE_OK) return std::unexpected(file->said("open", code).error());
  return file;
}

Result<Bytes> VfsFile::read(std::uint64_t offset, std::size_t size) {
  Bytes bytes(size);
  const int code = file_->pMethods->xRead(file_, bytes.data(), static_cast<int>(size), static_cast<long long>(offset));
  // A short read fills the rest with zeros.
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return std::unexpected(said("read", code).error());
  return bytes;
}

Status VfsFile::write(std::uint64_t offset, ByteView bytes) {
  const int code =
      file_->pMethods->xWrite(file_, bytes.data(), static_cast<int>(bytes.size()), static_cast<long long>(offset));
  return code == SQLITE_OK ? Status{} : said("write", code);
}

Status VfsFile::sync() {
  const int code = file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL);
  return code == SQLITE_OK ? Status{} : said("sync", code);
}

Result<std::uint64_t> VfsFile::size() {
  sqlite3_int64 bytes = 0;
  const int code = file_->pMethods->xFileSize(file_, &bytes);
  if (code != SQLITE_OK) return std::unexpected(said("size", code).error());
  return static_cast<std::uint64_t>(bytes);
}

Status VfsFile::said(std::string_view what, int code) const {
  return failure(path_ + ": " + std::string(what) + ": " + sqlite3_errstr(code));
}

}  // namespace nissa::journal
