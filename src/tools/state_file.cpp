#include "tools/state_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/crc32c.hpp"
#include "tools/read_at.hpp"

namespace nissa::tools {
namespace {

constexpr std::uint64_t magic = 0x312D444E45535349;  // "ISSEND-1"
constexpr std::size_t slot_size = 64 * 1024;
// magic, CRC32C of the rest, size of the state, generation; then the state.
constexpr std::size_t head_size = 8 + 4 + 4 + 8;
static_assert(head_size + largest_state <= slot_size);

struct Slot {
  std::uint64_t generation = 0;
  SendState state;
};

Bytes read_slot(int file, std::size_t index) {
  Bytes bytes(slot_size);
  const ssize_t size = read_at(file, index * slot_size, bytes);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, size)));
  return bytes;
}

bool has_magic(ByteView bytes) { return ByteReader(bytes).fixed<std::uint64_t>() == magic; }

bool is_newer(ByteView bytes) {
  const std::string_view text = as_text(bytes.first(std::min(bytes.size(), sizeof magic)));
  return text.size() == sizeof magic && text.starts_with("ISSEND-") && text.back() > '1' && text.back() <= '9';
}

bool is_empty(ByteView bytes) {
  return std::ranges::all_of(bytes, [](Byte one) { return one == 0; });
}

std::optional<Slot> decode_slot(ByteView bytes) {
  if (bytes.size() < head_size || !has_magic(bytes)) return std::nullopt;
  ByteReader in(bytes.subspan(8));
  const auto crc = in.fixed<std::uint32_t>();
  const auto size = in.fixed<std::uint32_t>();
  Slot slot;
  slot.generation = in.fixed<std::uint64_t>();
  if (size > bytes.size() - head_size || crc32c(bytes.subspan(12, head_size - 12 + size)) != crc) return std::nullopt;
  auto state = decode_send_state(bytes.subspan(head_size, size));
  if (!state) return std::nullopt;
  slot.state = std::move(*state);
  return slot;
}

Bytes encode_slot(std::uint64_t generation, const SendState& state) {
  Bytes content, slot;
  encode(content, state);
  ByteWriter out(slot);
  out.fixed(magic);
  out.fixed(std::uint32_t{0});
  out.fixed(static_cast<std::uint32_t>(content.size()));
  out.fixed(generation);
  out.raw(content);
  const std::uint32_t crc = crc32c(ByteView(slot).subspan(12));
  std::memcpy(slot.data() + 8, &crc, sizeof crc);
  return slot;
}

bool sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const int file = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool good = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  return good;
}

}  // namespace

StateFile::~StateFile() {
  if (file_ >= 0) close(file_);
}

std::unexpected<Error> StateFile::failed(const std::string& what, int error) const {
  return failure("the state file " + path_ + " cannot be " + what + ": " + std::generic_category().message(error));
}

Result<std::optional<SendState>> StateFile::open(const std::string& path) {
  path_ = path;
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file_ < 0) return failed("opened", errno);
  if (auto locked = lock(); !locked) return std::unexpected(locked.error());
  auto loaded = load();
  if (loaded && !*loaded)
    if (auto made = make_room(); !made) return std::unexpected(made.error());
  return loaded;
}

Status StateFile::lock() {
  if (flock(file_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return failed("locked", errno);
  return failure("the state file " + path_ +
                 " is in use by another nissa-send: stop that one, or give this one another --state");
}

// All of its blocks at once, so that later writes change no metadata.
Status StateFile::make_room() {
  if (const int error = posix_fallocate(file_, 0, 2 * slot_size); error != 0) return failed("made", error);
  if (fsync(file_) != 0 || !sync_folder_of(path_)) return failed("synced", errno);
  return {};
}

Result<std::optional<SendState>> StateFile::load() {
  const Bytes first = read_slot(file_, 0), second = read_slot(file_, 1);
  // One slot is enough: the other one, of this version, is older, and what went out since is not in it.
  if (is_newer(first) || is_newer(second))
    return failure("the state file " + path_ +
                   " was written by a newer nissa-send, and nothing of it was changed: use that one. With another "
                   "--state the log would be sent from its start, with what was sent before");
  std::optional<Slot> best = decode_slot(first), other = decode_slot(second);
  if (!best || (other && other->generation > best->generation)) std::swap(best, other);
  if (best) {
    generation_ = best->generation;
    // A crash within the first store leaves the other slot empty.
    const bool first_store_cut_short = generation_ == 1 && is_empty(first);
    if (!other && !first_store_cut_short)
      warning_ = "one of the two slots of the state file " + path_ +
                 " cannot be read. The other one is used, and no line is lost: if the machine went down while the slot "
                 "was written, none is counted twice either; if the slot was damaged, those that were sent last may be";
    return std::move(best->state);
  }
  // A crash before the first store was done leaves an empty slot and perhaps one that was cut short.
  if (is_empty(first) && (is_empty(second) || has_magic(second))) return std::optional<SendState>();
  if (!has_magic(first) && !has_magic(second)) return failure(path_ + " is no state file of nissa-send; name another");
  return failure("the state file " + path_ +
                 " is damaged. Without it nobody knows what was sent: move it away to begin anew, with --from end to "
                 "leave out what was there, or --from start to send it (again)");
}

Status StateFile::store(const SendState& state) {
  if (!within_bounds(state)) return failure("the state file " + path_ + " cannot hold so many batches");
  // Both slots at first: from then on an empty one is damage.
  if (generation_ == 0) {
    if (auto first = write_slot(state); !first) return first;
  }
  return write_slot(state);
}

Status StateFile::write_slot(const SendState& state) {
  const std::uint64_t next = generation_ + 1;
  const Bytes slot = encode_slot(next, state);
  if (slot.size() > slot_size) return failure("the state file " + path_ + " cannot hold so much");
  const auto at = static_cast<off_t>((next % 2) * slot_size);
  std::size_t written = 0;
  while (written < slot.size()) {
    const ssize_t done = pwrite(file_, slot.data() + written, slot.size() - written, at + static_cast<off_t>(written));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return failed("written", errno);
    written += static_cast<std::size_t>(done);
  }
  if (fdatasync(file_) != 0) return failed("synced", errno);
  generation_ = next;
  return {};
}

}  // namespace nissa::tools
