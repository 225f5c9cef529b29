// ANCHOR: a small file beside the database that remembers how far the journal had come, so that a lost tail is seen.
// (SQLite alone opens a database whose log was cut off or deleted without a word.) docs/journal-format.md has its
// bytes.
//
// Rules, each for one crash: the slot that is valid on disk is never the one being written (only one slot between two
// fsyncs); the newer (generation, lsn) of the sound slots wins; never ahead of the journal (advance() only after the
// group is durable). It may lag behind by what was written since its last fsync.
// Thread: one at a time; no thread of its own.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time_types.hpp"
#include "journal/journal.hpp"

namespace nissa::journal {

struct AnchorState {
  std::uint64_t generation = 0;  // + 1 at each start
  StateId state_id = 0;
  Lsn last_lsn = 0;      // last durable one
  std::string database;  // file name within the directory, at most 255 bytes
  bool copy = false;     // a backup that was never started: the first start draws an id of its own
  bool operator==(const AnchorState&) const = default;
};

// Of two sound slots the newer one counts.
bool is_newer(const AnchorState& one, const AnchorState& other);

inline constexpr std::uint32_t format_version = 1;  // of ANCHOR and the database together
inline constexpr std::size_t anchor_slot_size = 512;
// The slots lie in different blocks of 4 KiB: a torn write of the one block cannot touch the other.
inline constexpr std::array<std::uint64_t, 2> anchor_slot_offset{0, 4096};

enum class SlotFault : std::uint8_t {
  blank,          // never written: zeros, or past the end of the file
  damaged,        // torn or altered
  newer_version,  // sound, but of a format that this program does not know
};
Bytes encode_slot(const AnchorState& state);
std::expected<AnchorState, SlotFault> decode_slot(ByteView slot);

// What ANCHOR needs of a file; the real one goes through SQLite's VFS, so that a power-cut VFS covers it too.
class AnchorFile {
 public:
  AnchorFile() = default;
  virtual ~AnchorFile() = default;
  AnchorFile(const AnchorFile&) = delete;
  AnchorFile& operator=(const AnchorFile&) = delete;
  // Past the end of the file: zeros.
  virtual Result<Bytes> read(std::uint64_t offset, std::size_t size) = 0;
  virtual Status write(std::uint64_t offset, ByteView bytes) = 0;
  virtual Status sync() = 0;
};
// `vfs`: name of a registered VFS, empty for the system's. Creates the file when `create`; its folder entry is made
// durable by the first sync.
Result<std::unique_ptr<AnchorFile>> open_anchor_file(const std::string& vfs, const std::string& path, bool create);

class Anchor {
 public:
  static constexpr BootNs sync_every_ns = ns_per_s;

  explicit Anchor(std::unique_ptr<AnchorFile> file) : file_(std::move(file)) {}

  // The winning slot; nothing if both are blank (a birth cut short). Damage: newer_version, anchor_damaged.
  JournalResult<std::optional<AnchorState>> read();
  // Both slots, one after the other, each synced: the winner of read() is overwritten last.
  Status begin(AnchorState state);
  // After begin(). One pwrite, about 1 µs.
  Status advance(Lsn last_durable);
  // Syncs if the last sync is a second ago and something was written; else does nothing.
  Status sync_if_due(BootNs now);

  const AnchorState& state() const { return state_; }

 private:
  Status write_slot(std::size_t slot);

  std::unique_ptr<AnchorFile> file_;
  AnchorState state_;
  std::size_t slot_ = 0;  // where the next write goes: not where the newest synced state is
  bool unsynced_ = false;
  BootNs synced_at_ = 0;
};

}  // namespace nissa::journal
