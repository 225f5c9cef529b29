#include "tools/send_state.hpp"

namespace nissa::tools {
namespace {

void write(ByteWriter& out, const FilePoint& point) {
  out.fixed(point.inode);
  out.fixed(point.offset);
  out.fixed(point.tail_size);
  out.fixed(point.tail_crc);
  out.fixed(static_cast<std::uint64_t>(point.changed_ns));
}

void write(ByteWriter& out, const Cut& cut) {
  out.fixed(cut.key.epoch);
  out.fixed(static_cast<std::uint8_t>(cut.key.priority));
  out.fixed(cut.key.sequence);
  out.fixed(cut.epoch_seen.state_id);
  out.fixed(cut.epoch_seen.running_ms);
  out.fixed(cut.inode);
  out.fixed(cut.from);
  out.fixed(cut.to);
  out.fixed(cut.crc);
  out.fixed(cut.events);
}

FilePoint read_point(ByteReader& in) {
  FilePoint point;
  point.inode = in.fixed<std::uint64_t>();
  point.offset = in.fixed<std::uint64_t>();
  point.tail_size = in.fixed<std::uint32_t>();
  point.tail_crc = in.fixed<std::uint32_t>();
  point.changed_ns = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
  return point;
}

Cut read_cut(ByteReader& in) {
  Cut cut;
  cut.key.epoch = in.fixed<std::uint64_t>();
  cut.key.priority = static_cast<Priority>(in.fixed<std::uint8_t>());
  cut.key.sequence = in.fixed<std::uint64_t>();
  cut.epoch_seen.state_id = in.fixed<std::uint64_t>();
  cut.epoch_seen.running_ms = in.fixed<std::uint64_t>();
  cut.inode = in.fixed<std::uint64_t>();
  cut.from = in.fixed<std::uint64_t>();
  cut.to = in.fixed<std::uint64_t>();
  cut.crc = in.fixed<std::uint32_t>();
  cut.events = in.fixed<std::uint32_t>();
  return cut;
}

bool is_sound(const Cut& cut) {
  const auto priority = static_cast<unsigned>(cut.key.priority);
  return cut.key.epoch != 0 && cut.key.sequence != 0 && priority >= 1 && priority <= priority_count &&
         cut.from < cut.to && cut.events > 0;
}

bool is_sound(const FilePoint& point) { return point.tail_size <= longest_tail && point.tail_size <= point.offset; }

template <class T, class Read>
void read_all(ByteReader& in, std::vector<T>& into, Read read) {
  for (std::size_t left = in.count(); left > 0 && !in.failed(); --left) into.push_back(read(in));
}

template <class T>
bool all_sound(const std::vector<T>& these) {
  for (const T& one : these)
    if (!is_sound(one)) return false;
  return true;
}

}  // namespace

bool within_bounds(const SendState& state) {
  return state.cuts.size() <= most_cuts && state.reading.size() <= most_reading && state.done.size() <= most_done &&
         state.path.size() <= longest_path;
}

void encode(Bytes& out, const SendState& state) {
  ByteWriter writer(out);
  writer.text(state.path);
  writer.fixed(state.meaning);
  writer.fixed(static_cast<std::uint64_t>(state.changed_ns));
  writer.varint(state.reading.size());
  for (const FilePoint& point : state.reading) write(writer, point);
  writer.varint(state.done.size());
  for (const FilePoint& point : state.done) write(writer, point);
  writer.varint(state.cuts.size());
  for (const Cut& cut : state.cuts) write(writer, cut);
}

std::optional<SendState> decode_send_state(ByteView bytes) {
  ByteReader in(bytes);
  SendState state;
  state.path = in.text();
  state.meaning = in.fixed<std::uint64_t>();
  state.changed_ns = static_cast<std::int64_t>(in.fixed<std::uint64_t>());
  read_all(in, state.reading, read_point);
  read_all(in, state.done, read_point);
  read_all(in, state.cuts, read_cut);
  if (in.failed() || !in.at_end() || !within_bounds(state)) return std::nullopt;
  if (!all_sound(state.reading) || !all_sound(state.done) || !all_sound(state.cuts)) return std::nullopt;
  return state;
}

}  // namespace nissa::tools
