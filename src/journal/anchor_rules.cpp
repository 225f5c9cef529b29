#include "base/crc32c.hpp"
#include "journal/anchor.hpp"

namespace nissa::journal {
namespace {

// Magic, version and the CRC at the end keep their places in every future format: so an older program can tell
// "newer" from "damaged".
constexpr std::string_view magic = "NISSAANC";
constexpr std::uint32_t is_copy = 1;  // the one flag there is
constexpr std::size_t crc_at = anchor_slot_size - sizeof(std::uint32_t);

}  // namespace

bool is_newer(const AnchorState& one, const AnchorState& other) {
  return one.generation != other.generation ? one.generation > other.generation : one.last_lsn > other.last_lsn;
}

Bytes encode_slot(const AnchorState& state) {
  Bytes slot;
  ByteWriter out(slot);
  out.raw(as_bytes(magic));
  out.fixed(format_version);
  out.fixed(state.copy ? is_copy : 0);
  out.fixed(state.generation);
  out.fixed(state.state_id);
  out.fixed(state.last_lsn);
  out.text(state.database.substr(0, 255));
  slot.resize(crc_at);
  out.fixed(crc32c(slot));
  return slot;
}

std::expected<AnchorState, SlotFault> decode_slot(ByteView slot) {
  bool blank = true;
  for (const Byte byte : slot) blank = blank && byte == 0;
  if (blank) return std::unexpected(SlotFault::blank);
  if (slot.size() != anchor_slot_size) return std::unexpected(SlotFault::damaged);
  const auto crc = ByteReader(slot.subspan(crc_at)).fixed<std::uint32_t>();
  if (crc32c(slot.first(crc_at)) != crc) return std::unexpected(SlotFault::damaged);
  ByteReader in(slot.first(crc_at));
  if (as_text(in.raw(magic.size())) != magic) return std::unexpected(SlotFault::damaged);
  const auto version = in.fixed<std::uint32_t>();
  const auto flags = in.fixed<std::uint32_t>();
  if (version > format_version || (flags & ~is_copy) != 0) return std::unexpected(SlotFault::newer_version);
  AnchorState state;
  state.copy = flags == is_copy;
  state.generation = in.fixed<std::uint64_t>();
  state.state_id = in.fixed<std::uint64_t>();
  state.last_lsn = in.fixed<std::uint64_t>();
  state.database = in.text();
  if (version == 0 || in.failed() || state.state_id == 0 || state.database.empty()) {
    return std::unexpected(SlotFault::damaged);
  }
  return state;
}

JournalResult<std::optional<AnchorState>> Anchor::read() {
  std::optional<AnchorState> winner;
  std::optional<SlotFault> worst;
  for (std::size_t slot = 0; slot < anchor_slot_offset.size(); ++slot) {
    const auto bytes = file_->read(anchor_slot_offset[slot], anchor_slot_size);
    if (!bytes) return std::unexpected(JournalError{Damage::none, "ANCHOR cannot be read: " + bytes.error().message});
    const auto state = decode_slot(*bytes);
    if (!state) {
      worst = worst ? std::max(*worst, state.error()) : state.error();
    } else if (!winner || is_newer(*state, *winner)) {
      winner = *state;
      slot_ = 1 - slot;
    }
  }
  if (worst == SlotFault::newer_version) {
    return std::unexpected(JournalError{Damage::newer_version, "ANCHOR was written by a newer Nissa"});
  }
  if (!winner && worst == SlotFault::damaged) {
    return std::unexpected(JournalError{Damage::anchor_damaged, "neither slot of ANCHOR is sound"});
  }
  if (winner) state_ = *winner;
  return winner;
}

Status Anchor::write_slot(std::size_t slot) { return file_->write(anchor_slot_offset[slot], encode_slot(state_)); }

Status Anchor::begin(AnchorState state) {
  state_ = std::move(state);
  for (int both = 0; both < 2; ++both) {
    if (auto written = write_slot(slot_); !written) return written;
    if (auto synced = file_->sync(); !synced) return synced;
    slot_ = 1 - slot_;
  }
  unsynced_ = false;
  return {};
}

Status Anchor::advance(Lsn last_durable) {
  state_.last_lsn = last_durable;
  unsynced_ = true;
  return write_slot(slot_);
}

Status Anchor::sync_if_due(BootNs now) {
  if (!unsynced_ || now - synced_at_ < sync_every_ns) return {};
  synced_at_ = now;                                         // also when it fails: a sick disk is not asked more often
  if (auto synced = file_->sync(); !synced) return synced;  // the same slot again: the other one is the sound one
  unsynced_ = false;
  slot_ = 1 - slot_;
  return {};
}

}  // namespace nissa::journal
