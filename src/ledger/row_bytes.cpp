#include "ledger/row_bytes.hpp"

namespace nissa::ledger {

Bytes snapshot_value(const KeptSnapshot& snapshot) {
  Bytes value;
  ByteWriter out(value);
  out.varint(snapshot.begin_lsn);
  out.varint(snapshot.complete_lsn);
  return value;
}

std::optional<KeptSnapshot> read_snapshot_value(Generation generation, ByteView value) {
  ByteReader in(value);
  const Lsn begin = in.varint();
  const Lsn complete = in.varint();
  if (in.failed() || !in.at_end() || begin == 0) return std::nullopt;
  return KeptSnapshot{generation, begin, complete};
}

void append_row_head(Lsn lsn, bool absent, Bytes& out) {
  ByteWriter writer(out);
  writer.varint(lsn);
  writer.fixed<std::uint8_t>(absent ? 1 : 0);
}

std::optional<RowHead> read_row_head(ByteView value) {
  ByteReader in(value);
  RowHead head;
  head.lsn = in.varint();
  const auto absent = in.fixed<std::uint8_t>();
  head.absent = absent == 1;
  head.object = value.subspan(in.offset());
  if (in.failed() || absent > 1 || (head.absent && !head.object.empty())) return std::nullopt;
  return head;
}

}  // namespace nissa::ledger
