#include "slo/block_codec.hpp"

#include <limits>

namespace nissa::slo {
namespace {

// Writes the number of lanes that `used` wants and calls write(lane) for each, behind its gap.
template <class Used, class Write>
void write_lanes(ByteWriter& writer, Used&& used, Write&& write) {
  std::uint32_t count = 0;
  for (std::uint32_t lane = 0; lane < block_lanes; ++lane) count += used(lane) ? 1 : 0;
  writer.varint(count);
  std::uint32_t next = 0;
  for (std::uint32_t lane = 0; lane < block_lanes; ++lane) {
    if (!used(lane)) continue;
    writer.varint(lane - next);
    next = lane + 1;
    write(lane);
  }
}

void write_counts(ByteWriter& writer, const Counts& counts) {
  writer.varint(counts.total);
  writer.varint(counts.bad());
}

// read(lane) for each lane that is there. All or an error; nothing may follow.
template <class Read>
Status read_lanes(ByteReader& reader, Read&& read) {
  const std::size_t count = reader.count();
  std::uint64_t lane = 0;
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    const std::uint64_t gap = reader.varint();
    if (gap >= block_lanes || lane + gap >= block_lanes) return failure("lane beyond the block");
    lane += gap;
    if (!read(static_cast<std::uint32_t>(lane))) return failure("more bad events than events");
    ++lane;
  }
  if (reader.failed()) return failure("cut off");
  if (!reader.at_end()) return failure("bytes behind the end");
  return {};
}

bool read_counts(ByteReader& reader, Counts& counts) {
  counts.total = reader.varint();
  const std::uint64_t bad = reader.varint();
  if (bad > counts.total) return false;
  counts.good = counts.total - bad;
  return true;
}

}  // namespace

void encode_row(const Row& row, Bytes& out) {
  ByteWriter writer(out);
  writer.varint(static_cast<std::uint32_t>(row.period()));
  row.visit([&](const auto* cells) {
    write_lanes(
        writer, [&](std::uint32_t lane) { return cells[2 * lane + 1] != 0; },
        [&](std::uint32_t lane) { write_counts(writer, Counts{cells[2 * lane], cells[2 * lane + 1]}); });
  });
}

void encode_life(const LifeRow& life, Bytes& out) {
  ByteWriter writer(out);
  write_lanes(
      writer, [&](std::uint32_t lane) { return life.lanes[lane].lifetime.total != 0; },
      [&](std::uint32_t lane) {
        write_counts(writer, life.lanes[lane].lifetime);
        writer.varint(static_cast<std::uint64_t>(life.lanes[lane].born));
      });
}

Result<DecodedRow> decode_row(ByteView value) {
  ByteReader reader(value);
  DecodedRow row;
  const std::uint64_t period = reader.varint();
  if (period > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    return failure("row: period out of range");
  }
  row.period = static_cast<std::int32_t>(period);
  const Status lanes = read_lanes(reader, [&](std::uint32_t lane) { return read_counts(reader, row.lanes[lane]); });
  if (!lanes) return failure("row: " + lanes.error().message);
  return row;
}

Result<std::array<Life, block_lanes>> decode_life(ByteView value) {
  ByteReader reader(value);
  std::array<Life, block_lanes> life{};
  const Status lanes = read_lanes(reader, [&](std::uint32_t lane) {
    const bool sound = read_counts(reader, life[lane].lifetime);
    life[lane].born = static_cast<UnixMs>(reader.varint());
    return sound;
  });
  if (!lanes) return failure("life row: " + lanes.error().message);
  return life;
}

}  // namespace nissa::slo
