// The state taken apart into objects and put together again (ledger.hpp).
#include <algorithm>
#include <string>

#include "ledger/ledger.hpp"
#include "ledger/record_bytes.hpp"

namespace nissa::ledger {
namespace {

EpochObject epoch_object(ObjectId object) {
  return {object.kind == ObjectKind::epoch ? EpochObject::Kind::epoch : EpochObject::Kind::tombstone, object.id};
}

}  // namespace

void Ledger::encode_meta(Bytes& out) const {
  ByteWriter writer(out);
  writer.varint(static_cast<std::uint64_t>(meta_.ledger_ms));
  writer.varint(meta_.running_ms);
  writer.varint(epochs_.floor());
  meta_.gaps.encode(writer);
  writer.varint(meta_.quarantined.size());
  for (const slo::SloId slo : meta_.quarantined) writer.varint(slo);
}

Status Ledger::load_meta(ByteView value, Lsn lsn) {
  ByteReader in(value);
  const std::uint64_t ledger_ms = in.varint();
  meta_.ledger_ms = static_cast<UnixMs>(ledger_ms);
  meta_.running_ms = in.varint();
  const RunningMs floor = in.varint();
  const bool gaps = meta_.gaps.decode(in);
  for (std::size_t count = in.count(); count > 0 && !in.failed(); --count)
    meta_.quarantined.insert(static_cast<slo::SloId>(std::min<std::uint64_t>(in.varint(), highest_slo + 1u)));
  if (!gaps || in.failed() || !in.at_end() || ledger_ms > static_cast<std::uint64_t>(highest_ledger_ms))
    return failure("the row of times and gaps is not what was written");
  meta_.loaded_lsn = lsn;
  epochs_.load_now(meta_.running_ms, floor);
  return {};
}

bool Ledger::encode_object(ObjectId object, Bytes& out) const {
  switch (object.kind) {
    case ObjectKind::meta:
      encode_meta(out);
      return true;
    case ObjectKind::definition:
      return definitions_.encode(static_cast<slo::SloId>(object.id), out);
    case ObjectKind::block: {
      const slo::Block* found = block(static_cast<std::uint32_t>(block_of_object(object)));
      return found != nullptr && found->encode_object(in_block(object), out);
    }
    case ObjectKind::epoch:
    case ObjectKind::tombstone:
      return epochs_.encode(epoch_object(object), out);
    case ObjectKind::snapshot:
      break;
  }
  return false;
}

Status Ledger::load_object(ObjectId object, ByteView value, Lsn lsn) {
  switch (object.kind) {
    case ObjectKind::meta:
      return load_meta(value, lsn);
    case ObjectKind::definition:
      if (object.id > highest_slo) return failure("the row of an SLO out of range");
      return definitions_.load(static_cast<slo::SloId>(object.id), value, lsn);
    case ObjectKind::block:
      if (block_of_object(object) > slo::block_of(highest_slo)) return failure("the row of a block out of range");
      return own_block(static_cast<std::uint32_t>(block_of_object(object)), 0)
          .load_object(in_block(object), value, lsn);
    case ObjectKind::epoch:
    case ObjectKind::tombstone:
      return epochs_.load(epoch_object(object), value, lsn);
    case ObjectKind::snapshot:
      break;
  }
  return failure("a row of no known kind");
}

void Ledger::begin_replay(Lsn applied, Lsn complete) {
  applied_ = applied;
  epochs_.loaded(complete);
}

void Ledger::go_live() {
  mode_ = Mode::live;
  for (Slot& slot : blocks_) {
    if (slot.block == nullptr) continue;
    slot.block->go_live(meta_.ledger_ms);
    slot.touched_lsn = applied_;
  }
}

}  // namespace nissa::ledger
