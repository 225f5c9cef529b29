// Block as snapshots and the state hash see it (block.hpp).
#include "base/violation.hpp"
#include "slo/block.hpp"
#include "slo/block_codec.hpp"

namespace nissa::slo {

std::vector<Block::ObjectVersion> Block::objects_changed_after(std::uint64_t lsn) const {
  std::vector<ObjectVersion> changed;
  for (std::uint8_t ring = 0; ring < ring_count; ++ring) {
    for (std::size_t slot = 0; slot < rings_[ring].slots(); ++slot) {
      const Row& row = rings_[ring].row_in(slot);
      if (row.empty() || row.changed_lsn() <= lsn) continue;
      changed.push_back({BlockObject{ring, static_cast<std::uint16_t>(slot)}, row.changed_lsn()});
    }
  }
  if (life_.changed_lsn > lsn) changed.push_back({BlockObject{life_object, 0}, life_.changed_lsn});
  return changed;
}

bool Block::encode_object(BlockObject object, Bytes& out) const {
  if (object.ring == life_object) {
    encode_life(life_, out);
    return true;
  }
  if (object.ring >= ring_count || object.slot >= rings_[object.ring].slots()) {
    violation("slo", "an object is a slot of one of the rings or the life row");
    return false;
  }
  const Row& row = rings_[object.ring].row_in(object.slot);
  if (row.empty()) return false;
  encode_row(row, out);
  return true;
}

Status Block::load_object(BlockObject object, ByteView value, std::uint64_t lsn) {
  if (loaded_ == nullptr) return failure("block: objects are loaded only before it goes live");
  if (object.ring == life_object) {
    const auto life = decode_life(value);
    if (!life) return failure(life.error().message);
    life_.lanes = *life;
    life_.changed_lsn = lsn;
    loaded_->life = lsn;
    return {};
  }
  if (object.ring >= ring_count || object.slot >= rings_[object.ring].slots()) return failure("block: no such row");
  const auto decoded = decode_row(value);
  if (!decoded) return failure(decoded.error().message);
  target_ = Target{};  // it may point to what is replaced here
  BucketRing& ring = rings_[object.ring];
  if (ring.slot_of(decoded->period) != object.slot) return failure("row: its period belongs into another slot");
  Row& row = ring.row_in(object.slot);
  row.begin(decoded->period);
  for (std::uint32_t lane = 0; lane < block_lanes; ++lane) {
    if (decoded->lanes[lane].total != 0) row.add(lane, decoded->lanes[lane]);
  }
  row.set_changed_lsn(lsn);
  loaded_->rows[object.ring][object.slot] = lsn;
  return {};
}

void Block::go_live(UnixMs head_ms) {
  loaded_.reset();
  set_head(head_ms);
  rebuild_sums();
}

void Block::append_state(Bytes& out) const {
  for (std::size_t ring = 0; ring < ring_count; ++ring) {
    const std::int32_t buckets = ring_specs[ring].period_buckets();
    rings_[ring].for_each(ring_start(ring) / buckets, (head_ + buckets_ahead) / buckets + 1, [&](const Row& row) {
      out.push_back(static_cast<Byte>(ring));
      encode_row(row, out);
    });
  }
  out.push_back(life_object);
  encode_life(life_, out);
}

std::size_t Block::memory_bytes() const {
  std::size_t bytes = sizeof *this + WindowSums::memory_bytes();
  for (const BucketRing& ring : rings_) bytes += ring.memory_bytes();
  return bytes;
}

}  // namespace nissa::slo
