#include "ledger/reassembled.hpp"

#include <algorithm>
#include <string>

namespace nissa::ledger {

std::vector<ObjectId> objects_of(const Ledger& ledger) {
  std::vector<ObjectId> objects{{ObjectKind::meta, 0}};
  for (slo::SloId id = 0; id < ledger.definitions().size(); ++id)
    if (ledger.definitions().find(id) != nullptr) objects.push_back(object_of(id));
  for (std::uint32_t index = 0; index < ledger.block_count(); ++index) {
    const slo::Block* block = ledger.block(index);
    if (block == nullptr) continue;
    for (const auto& version : block->objects_changed_after(0)) objects.push_back(object_of(index, version.object));
  }
  for (const EpochObject& object : ledger.epochs().objects()) objects.push_back(object_of(object));
  std::ranges::sort(objects);
  return objects;
}

Result<std::unique_ptr<Ledger>> reassembled(const Ledger& ledger, const LedgerOptions& options) {
  auto again = std::make_unique<Ledger>(options, Ledger::Mode::replaying);
  for (const ObjectId object : objects_of(ledger)) {
    Bytes bytes;
    if (!ledger.encode_object(object, bytes)) continue;
    if (const auto loaded = again->load_object(object, bytes, ledger.applied()); !loaded)
      return failure("an object of kind " + std::to_string(static_cast<int>(object.kind)) + ", id " +
                     std::to_string(object.id) + ": " + loaded.error().message);
  }
  again->begin_replay(ledger.applied(), ledger.applied());
  again->go_live();
  return again;
}

}  // namespace nissa::ledger
