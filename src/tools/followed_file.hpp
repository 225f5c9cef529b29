// One log file that is being read: whole lines from a place on, and whether what stands before the place is still what
// was read (else it was truncated, or another file has its inode). Reads from the page cache; never waits for the
// writer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "tools/send_state.hpp"

namespace nissa::tools {

// A descriptor that is closed with it.
class OpenFile {
 public:
  // For reading, without waiting where it is a FIFO; valid() is false if it cannot be opened, and errno says why.
  explicit OpenFile(const std::string& path);
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&& other) noexcept;
  ~OpenFile();
  bool valid() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

struct FileFacts {
  std::uint64_t inode = 0, size = 0;
  std::int64_t changed_ns = 0;
  bool regular = false;
};
std::optional<FileFacts> facts_of(const OpenFile& file);
std::optional<FileFacts> facts_of(const std::string& path);

// The bytes [from, to), or fewer where the file ends before.
Bytes read_range(const OpenFile& file, std::uint64_t from, std::uint64_t to);
// What stands before the point's offset is what stood there when it was noted.
bool stands_at(const OpenFile& file, const FilePoint& point);
FilePoint point_in(const OpenFile& file, std::uint64_t offset);

class FollowedFile {
 public:
  // From the point on, which must be the file's (stands_at).
  FollowedFile(OpenFile file, std::string name, const FilePoint& from);

  enum class Got : std::uint8_t {
    line,
    too_long,   // a whole line, longer than longest_line: it is skipped
    nothing,    // no whole line more, for now
    truncated,  // what was read is no longer there; this object reads no more
    broken,     // reading failed, for now
  };
  // The next line without its end ("\n" or "\r\n"). The view lives until the next call.
  Got next(std::string_view& line);
  // next() will tell the line again that it told last.
  void back();
  // Reads on from an earlier place of the same file; if that no longer stands, next() says truncated, and the place is
  // told as it was given: a copy is known by it.
  void rewind(const FilePoint& to);
  // The place behind the line that next() told last (at first: where it began). About 20 ns.
  FilePoint point() const { return gone_ ? *gone_ : point_at(at_); }
  // Before it.
  FilePoint point_before() const { return gone_ ? *gone_ : point_at(line_at_); }
  // The line that next() told last, with its end.
  ByteView raw_line() const { return ByteView(buffer_).subspan(line_at_, at_ - line_at_); }

  // All whole lines of a file of this size were told.
  bool told_all_of(std::uint64_t size) const {
    return size == size_seen_ && size == base_ + buffer_.size() && searched_ == buffer_.size();
  }
  // The file was this long at least: so far it was read, if not told.
  std::uint64_t seen_to() const { return base_ + buffer_.size(); }
  // Bytes that were not read, an unfinished line included; 0 if the file cannot be asked.
  std::uint64_t unread() const;
  const OpenFile& file() const { return file_; }
  const std::string& name() const { return name_; }
  std::uint64_t inode() const { return inode_; }

  static constexpr std::size_t longest_line = 64 * 1024;

 private:
  Got read_more();
  FilePoint point_at(std::size_t in_buffer) const;
  std::uint64_t offset() const { return base_ + at_; }

  OpenFile file_;
  std::string name_;
  std::uint64_t inode_;
  Bytes buffer_, incoming_;      // at most some 300 KiB each
  std::uint64_t base_ = 0;       // where buffer_[0] stands in the file
  std::size_t line_at_ = 0;      // the line that was told last
  std::size_t at_ = 0;           // what was not told; before it in the buffer, the tail
  std::size_t searched_ = 0;     // up to here there is no line's end
  std::uint64_t size_seen_ = 0;  // the file's, when there was nothing more in it
  std::int64_t changed_ns_ = 0;  // the same; and for point()
  bool skipping_ = false;        // a line that is too long; its end is not there yet
  bool truncated_ = false;
  std::optional<FilePoint> gone_;  // where to read on from, if that no longer stood; then the buffer is not of it
};

}  // namespace nissa::tools
