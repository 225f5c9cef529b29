#include "journal/sqlite_file_copy.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "journal/sqlite_vfs_file.hpp"

namespace nissa::journal {
namespace {

using Step = std::expected<void, BackupError>;

constexpr std::uint64_t piece_bytes = 64u << 10;  // a VFS takes no more at once
constexpr std::uint64_t sync_bytes = 8u << 20;

std::unexpected<BackupError> failed(std::string message) {
  return std::unexpected(BackupError{BackupFault::failed, std::move(message)});
}

class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path), file_(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640)) {}
  ~NewFile() {
    if (file_ >= 0) close(file_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  Step made() const { return file_ >= 0 ? Step{} : said("cannot be made"); }
  Step write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::write(file_, bytes.data(), bytes.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return said("cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return {};
  }
  Step sync() { return fsync(file_) == 0 ? Step{} : said("cannot be synced"); }

 private:
  Step said(const std::string& what) const {
    return failed(path_ + ' ' + what + ": " + std::generic_category().message(errno));
  }
  const std::string& path_;
  const int file_;
};

}  // namespace

Step copy_file(const FileCopy& copy) {
  const int flags = SQLITE_OPEN_READONLY | (copy.is_log ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB);
  const auto from = VfsFile::open(copy.vfs, copy.from, flags);
  if (!from) return failed(from.error().message);
  const auto size = (*from)->size();
  if (!size) return failed(size.error().message);
  NewFile to(copy.to);
  if (auto made = to.made(); !made) return made;
  const std::uint64_t end = std::min(*size, copy.bytes);
  for (std::uint64_t at = 0; at < end; at += piece_bytes) {
    if (auto going = copy.goes_on(); !going) return going;
    const auto piece = (*from)->read(at, static_cast<std::size_t>(std::min(piece_bytes, end - at)));
    if (!piece) return failed(piece.error().message);
    if (auto written = to.write(*piece); !written) return written;
    if ((at + piece_bytes) % sync_bytes == 0)
      if (auto synced = to.sync(); !synced) return synced;
  }
  return to.sync();
}

}  // namespace nissa::journal
