#include "ledger/objects.hpp"

namespace nissa::ledger {

Bytes key_of(ObjectId object) {
  Bytes key;
  key.reserve(9);
  key.push_back(static_cast<Byte>(object.kind));
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<Byte>(object.id >> shift));
  return key;
}

std::optional<ObjectId> object_of_key(ByteView key) {
  if (key.size() != 9) return std::nullopt;
  if (key[0] < static_cast<Byte>(ObjectKind::snapshot) || key[0] > static_cast<Byte>(ObjectKind::tombstone))
    return std::nullopt;
  ObjectId object{static_cast<ObjectKind>(key[0]), 0};
  for (const Byte byte : key.subspan(1)) object.id = object.id << 8 | byte;
  return object;
}

}  // namespace nissa::ledger
