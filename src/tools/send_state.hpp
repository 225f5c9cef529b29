// What nissa-send keeps through its own crash, as plain values, and their bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"

namespace nissa::tools {

// How much before a place in a file is remembered, to know the place again.
inline constexpr std::size_t longest_tail = 256;

// A place in a file: its inode (rotation renames files, all within one folder), how far, and what stands before it. For
// an inode is given to another file soon after the first is deleted, and a file may be truncated and grow again.
struct FilePoint {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint32_t tail_size = 0;  // min(offset, longest_tail)
  std::uint32_t tail_crc = 0;   // CRC32C of the bytes before the offset
  std::int64_t changed_ns = 0;  // the file's mtime when the place was noted
  bool operator==(const FilePoint&) const = default;
};

// A batch that was keyed and may have been sent: which bytes of which file, under which key. Its body is a function of
// these bytes and the options.
struct Cut {
  BatchKey key;
  EpochSeen epoch_seen;
  std::uint64_t inode = 0;
  std::uint64_t from = 0, to = 0;
  std::uint32_t crc = 0;  // CRC32C of the bytes
  std::uint32_t events = 0;
  bool operator==(const Cut&) const = default;
};

struct SendState {
  std::string path;             // of the file that is followed
  std::uint64_t meaning = 0;    // meaning_of() the options
  std::int64_t changed_ns = 0;  // mtime of the latest change that was read: older files are not ours to read
  // Files that are being read, oldest first; all before the place is counted, in `cuts`, or was reported.
  std::vector<FilePoint> reading;
  // Siblings that are done with, or were there before us.
  std::vector<FilePoint> done;
  std::vector<Cut> cuts;  // not settled, as far as was known when this was written
  bool operator==(const SendState&) const = default;
};

// The bounds of what encodes; a state within them takes at most largest_state bytes.
inline constexpr std::size_t most_cuts = 512, most_reading = 32, most_done = 64, longest_path = 4'096;
inline constexpr std::size_t largest_state = 60 * 1024;

bool within_bounds(const SendState& state);
void encode(Bytes& out, const SendState& state);
// Nothing if the bytes are not what encode() writes.
std::optional<SendState> decode_send_state(ByteView bytes);

}  // namespace nissa::tools
