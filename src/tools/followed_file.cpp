#include "tools/followed_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/crc32c.hpp"
#include "base/time_types.hpp"
#include "tools/read_at.hpp"

namespace nissa::tools {
namespace {

constexpr std::size_t read_bytes = 256 * 1024;

FileFacts facts_in(const struct stat& about) {
  return {about.st_ino, static_cast<std::uint64_t>(about.st_size),
          about.st_mtim.tv_sec * ns_per_s + about.st_mtim.tv_nsec, S_ISREG(about.st_mode)};
}

// Where the first line's end from `at` on stands; the size if there is none.
std::size_t end_of_line(ByteView bytes, std::size_t at) {
  if (at == bytes.size()) return at;
  const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
  return found == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const Byte*>(found) - bytes.data());
}

std::uint32_t tail_size_at(std::uint64_t offset) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(offset, longest_tail));
}

}  // namespace

OpenFile::OpenFile(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
OpenFile::OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
OpenFile::~OpenFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

std::optional<FileFacts> facts_of(const OpenFile& file) {
  struct stat about{};
  if (fstat(file.descriptor(), &about) != 0) return std::nullopt;
  return facts_in(about);
}

std::optional<FileFacts> facts_of(const std::string& path) {
  struct stat about{};
  if (stat(path.c_str(), &about) != 0) return std::nullopt;
  return facts_in(about);
}

Bytes read_range(const OpenFile& file, std::uint64_t from, std::uint64_t to) {
  Bytes bytes(static_cast<std::size_t>(to - from));
  const ssize_t got = read_at(file.descriptor(), from, bytes);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return bytes;
}

bool stands_at(const OpenFile& file, const FilePoint& point) {
  const Bytes tail = read_range(file, point.offset - point.tail_size, point.offset);
  const auto facts = facts_of(file);
  return facts && facts->size >= point.offset && tail.size() == point.tail_size && crc32c(tail) == point.tail_crc;
}

FilePoint point_in(const OpenFile& file, std::uint64_t offset) {
  FilePoint point;
  if (const auto facts = facts_of(file)) {
    point.inode = facts->inode;
    point.changed_ns = facts->changed_ns;
  }
  point.offset = offset;
  point.tail_size = tail_size_at(offset);
  point.tail_crc = crc32c(read_range(file, offset - point.tail_size, offset));
  return point;
}

FollowedFile::FollowedFile(OpenFile file, std::string name, const FilePoint& from)
    : file_(std::move(file)), name_(std::move(name)), inode_(from.inode) {
  if (const auto facts = facts_of(file_)) inode_ = facts->inode;
  rewind(from);
}

void FollowedFile::rewind(const FilePoint& to) {
  base_ = to.offset - to.tail_size;
  buffer_ = read_range(file_, base_, to.offset);
  line_at_ = at_ = searched_ = to.tail_size;
  size_seen_ = 0;
  changed_ns_ = to.changed_ns;
  skipping_ = false;
  truncated_ = buffer_.size() != to.tail_size || crc32c(buffer_) != to.tail_crc;
  gone_.reset();
  if (!truncated_) return;
  gone_ = to;
  gone_->inode = inode_;
}

FollowedFile::Got FollowedFile::next(std::string_view& line) {
  while (!truncated_) {
    const std::size_t end = end_of_line(ByteView(buffer_), searched_);
    if (end < buffer_.size()) {
      line_at_ = at_;
      at_ = searched_ = end + 1;
      line = as_text(ByteView(buffer_).subspan(line_at_, end - line_at_));
      if (line.ends_with('\r')) line.remove_suffix(1);
      return std::exchange(skipping_, false) || line.size() > longest_line ? Got::too_long : Got::line;
    }
    searched_ = buffer_.size();
    if (buffer_.size() - at_ > longest_line) {
      skipping_ = true;
      at_ = buffer_.size();
    }
    if (const Got got = read_more(); got != Got::line) return got;
  }
  return Got::truncated;
}

void FollowedFile::back() { at_ = searched_ = line_at_; }

FilePoint FollowedFile::point_at(std::size_t in_buffer) const {
  const std::uint64_t offset = base_ + in_buffer;
  const std::uint32_t size = tail_size_at(offset);
  return {inode_, offset, size, crc32c(ByteView(buffer_).subspan(in_buffer - size, size)), changed_ns_};
}

// Reads what is known again, with what is new: if it is not the same any more, it was truncated and has grown since.
FollowedFile::Got FollowedFile::read_more() {
  const auto facts = facts_of(file_);
  if (!facts) return Got::broken;
  if (facts->size < base_ + buffer_.size()) {
    truncated_ = true;
    return Got::truncated;
  }
  if (facts->size == size_seen_ && facts->changed_ns == changed_ns_) return Got::nothing;
  const std::size_t known_from = at_ - tail_size_at(offset());
  const std::size_t known = buffer_.size() - known_from;
  incoming_.resize(known + read_bytes);
  const ssize_t got = read_at(file_.descriptor(), base_ + known_from, incoming_);
  if (got < 0) return Got::broken;
  const auto size = static_cast<std::size_t>(got);
  if (size < known || !std::ranges::equal(ByteView(incoming_).first(known), ByteView(buffer_).subspan(known_from))) {
    truncated_ = true;
    return Got::truncated;
  }
  incoming_.resize(size);
  std::swap(buffer_, incoming_);
  base_ += known_from;
  at_ -= known_from;
  line_at_ = at_;
  searched_ = known;
  changed_ns_ = facts->changed_ns;
  if (size > known) return Got::line;
  size_seen_ = facts->size;
  return Got::nothing;
}

std::uint64_t FollowedFile::unread() const {
  const auto facts = facts_of(file_);
  return facts && facts->size > offset() ? facts->size - offset() : 0;
}

}  // namespace nissa::tools
