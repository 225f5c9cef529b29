// The state seen as objects: what a snapshot keeps as rows. Applying a record to an object reads that object and the
// record, nothing else, so each may be written at another moment (docs/journal-format.md, "rows").
#pragma once
#include <compare>
#include <cstdint>
#include <optional>

#include "base/batch_key.hpp"
#include "base/bytes.hpp"
#include "slo/block.hpp"
#include "slo/slo_id.hpp"

namespace nissa::ledger {

// The first byte of a row's key: in this order they are read back. What vouches for a snapshot comes first.
enum class ObjectKind : std::uint8_t {
  snapshot = 1,    // begun or complete: no object of the state; id: 0 begin, 1 complete
  meta = 2,        // times, gaps, floor, quarantine; id 0
  definition = 3,  // id: the SLO
  block = 4,       // a ring's row or the life row of 256 SLOs; id: block << 24 | ring << 16 | slot
  epoch = 5,       // id: the epoch
  tombstone = 6,   // id: the epoch
};

struct ObjectId {
  ObjectKind kind = ObjectKind::meta;
  std::uint64_t id = 0;
  auto operator<=>(const ObjectId&) const = default;
};

inline ObjectId object_of(slo::SloId slo) { return {ObjectKind::definition, slo}; }
inline ObjectId object_of(std::uint32_t block, slo::BlockObject object) {
  return {ObjectKind::block, std::uint64_t{block} << 24 | std::uint64_t{object.ring} << 16 | object.slot};
}
inline std::uint64_t block_of_object(ObjectId object) { return object.id >> 24; }
inline slo::BlockObject in_block(ObjectId object) {
  return {static_cast<std::uint8_t>(object.id >> 16), static_cast<std::uint16_t>(object.id)};
}

// Nine bytes: kind, id big-endian, so that the order of bytes is the order of objects.
Bytes key_of(ObjectId object);
// nullopt: not a key that key_of made.
std::optional<ObjectId> object_of_key(ByteView key);

}  // namespace nissa::ledger
