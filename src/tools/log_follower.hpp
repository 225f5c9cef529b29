// A log that grows, through its rotations: the lines of all its files, each exactly once from the place on where
// reading began. What it cannot find is said by name, and counted.
//
// - Renamed and made anew: the old file is read to its end, and watched for late lines until it has been quiet for 10 s
//   (quiet_ns) while the new one is read.
// - Rotated several times while nobody looked: files that were never seen, changed since, and numbered (FILE.1) are
//   read whole; a file is known again by its inode and by what stands before the place where reading stopped.
// - Truncated in place (copytruncate): the copy is looked for by its content and read to its end; then again from 0.
//
// Pure but for the file system, which it polls when told to; the time is given. One thread. Bounds: 32 open files
// (beyond these the next rotation is noticed later), 300 KiB each.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/time_types.hpp"
#include "tools/followed_file.hpp"
#include "tools/rotated_files.hpp"

namespace nissa::tools {

struct TrackedFile {
  TrackedFile(FollowedFile reads, const FilePoint& from) : file(std::move(reads)), kept(from) {}
  FollowedFile file;
  FilePoint kept;             // all before it is kept in cuts, or done with: where a next start reads on
  std::uint32_t unkeyed = 0;  // batches made of it that are behind `kept`, and are not kept yet
  bool drained = false;       // nothing more was found since the last poll
  bool vanished = false;      // its content is gone; it stays while unkeyed > 0
  FilePoint head;             // while nothing of it was read: how it begins, to know a copy of it by
  std::uint64_t size_polled = 0;
  std::uint64_t size_seen = 0;
  BootNs quiet_since = 0;
};

class LogFollower {
 public:
  struct Sayings {
    std::function<void(const std::string&)> say;      // lines for people
    std::function<void(const std::string&)> missing;  // something that should have been read is not there
    std::function<void(const std::string&)> bad;      // a line that never got its end
  };
  static constexpr BootNs quiet_ns = 10 * ns_per_s;

  LogFollower(std::string path, Sayings sayings) : path_(std::move(path)), sayings_(std::move(sayings)) {}

  // The first time ever: from the start of the file or from its end; if it is not there yet, from its start when it is.
  // Siblings that are there are left alone: what appears from now on is a rotation. Once, then poll().
  void begin(bool from_end);
  // From where an earlier process was.
  void resume(const SendState& state);
  // Looks what has changed; until the next call drained files are not looked at again. Some 10 µs.
  void poll(BootNs now);

  enum class Got : std::uint8_t { line, too_long, nothing };
  // The next line, and the file it is of; from the oldest file that has one.
  Got next(std::shared_ptr<TrackedFile>& from, std::string_view& line);
  // Reads on from an earlier place of the file, in its copy if it was truncated meanwhile. False: what it held is gone.
  bool rewind(const std::shared_ptr<TrackedFile>& which, const FilePoint& to);

  const std::deque<std::shared_ptr<TrackedFile>>& files() const { return files_; }
  const std::vector<FilePoint>& done() const { return done_; }
  std::int64_t changed_ns() const { return changed_ns_; }
  std::uint64_t unread() const;
  // The file that holds the bytes [from, to) with this CRC32C: by its inode, or wherever they stand now.
  std::optional<Bytes> find_bytes(std::uint64_t inode, std::uint64_t from, std::uint64_t to, std::uint32_t crc,
                                  bool& inode_seen) const;

 private:
  void track(OpenFile file, const std::string& name, const FilePoint& from);
  std::optional<std::pair<OpenFile, std::string>> find(const FilePoint& point) const;
  std::optional<std::pair<OpenFile, std::string>> find_copy(const FilePoint& point) const;
  bool is_tracked(std::uint64_t inode) const;
  const FilePoint* done_point_of(const OpenFile& file, const FileFacts& facts) const;
  bool is_a_copy(const OpenFile& file) const;
  void look_at_path(bool adopting);
  void adopt_missed();
  void adopt(const Sibling& sibling);
  static void note_size(TrackedFile& which);
  void look_for_truncation(const std::shared_ptr<TrackedFile>& which);
  void truncated(const std::shared_ptr<TrackedFile>& which);
  void finish_quiet(BootNs now);
  void finish(const TrackedFile& which);
  void add_done(const FilePoint& point);
  void say_once(const std::string& text);

  const std::string path_;
  const Sayings sayings_;
  std::deque<std::shared_ptr<TrackedFile>> files_;  // oldest first
  std::vector<FilePoint> done_;                     // oldest first; at most most_done
  std::int64_t changed_ns_ = 0;  // the last change that was seen of what was read: what is older is not ours to read
  std::set<std::string> said_;   // troubles since a file was last found; a few for each that is open
};

}  // namespace nissa::tools
