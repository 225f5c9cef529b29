#include "ledger/snapshot_reader.hpp"

#include "ledger/row_bytes.hpp"

namespace nissa::ledger {
namespace {

std::string name_of(ObjectId object) {
  switch (object.kind) {
    case ObjectKind::snapshot:
      return "of a snapshot itself";
    case ObjectKind::meta:
      return "of times and gaps";
    case ObjectKind::definition:
      return "of SLO " + std::to_string(object.id);
    case ObjectKind::block:
      return "of counts, block " + std::to_string(block_of_object(object)) + ", ring " +
             std::to_string(in_block(object).ring) + ", slot " + std::to_string(in_block(object).slot);
    case ObjectKind::epoch:
      return "of epoch " + std::to_string(object.id);
    case ObjectKind::tombstone:
      return "of ended epoch " + std::to_string(object.id);
  }
  return "of no known kind";
}

}  // namespace

bool SnapshotReader::fail(const std::string& what) {
  if (fault_.empty()) fault_ = what;
  return false;
}

bool SnapshotReader::row(ByteView key, Generation generation, ByteView value) {
  const std::optional<ObjectId> object = object_of_key(key);
  if (!object) return fail("a row with a key of no known kind (" + std::to_string(key.size()) + " bytes)");
  if (object->kind == ObjectKind::snapshot) return snapshot_row(*object, generation, value);
  if (choosing_) choose();
  const std::optional<RowHead> head = read_row_head(value);
  if (!head) return fail("the row " + name_of(*object) + " is not what was written");
  catalog_.note({*object, generation}, head->absent);
  if (!chosen_ || generation > chosen_->generation) return true;
  if (has_candidate_ && candidate_.object != *object && !load_candidate()) return false;
  if (head->lsn > chosen_->complete_lsn) return fail("the row " + name_of(*object) + " is younger than its snapshot");
  has_candidate_ = true;
  candidate_.object = *object;
  candidate_.lsn = head->lsn;
  candidate_.absent = head->absent;
  candidate_.bytes.assign(head->object.begin(), head->object.end());
  return true;
}

void SnapshotReader::choose() {
  choosing_ = false;
  for (const KeptSnapshot& snapshot : complete_)
    if (snapshot.generation <= latest_) chosen_ = snapshot;
}

bool SnapshotReader::snapshot_row(ObjectId object, Generation generation, ByteView value) {
  const std::optional<KeptSnapshot> snapshot = read_snapshot_value(generation, value);
  if (!snapshot || (object != snapshot_begin && object != snapshot_complete))
    return fail("the row " + name_of(object) + " is not what was written");
  catalog_.note({object, generation}, false);
  if (object != snapshot_complete) return true;
  if (snapshot->complete_lsn + 1 < snapshot->begin_lsn)
    return fail("the row " + name_of(object) + " is not what was written");
  complete_.push_back(*snapshot);
  return true;
}

bool SnapshotReader::load_candidate() {
  has_candidate_ = false;
  if (candidate_.absent) return true;
  const Status loaded = ledger_.load_object(candidate_.object, candidate_.bytes, candidate_.lsn);
  if (!loaded) return fail("the row " + name_of(candidate_.object) + ": " + loaded.error().message);
  meta_loaded_ = meta_loaded_ || candidate_.object.kind == ObjectKind::meta;
  ++loaded_;
  return true;
}

bool SnapshotReader::end() {
  if (has_candidate_ && !load_candidate()) return false;
  if (choosing_) choose();
  if (chosen_ && !meta_loaded_) return fail("the row of times and gaps is missing");
  return true;
}

}  // namespace nissa::ledger
