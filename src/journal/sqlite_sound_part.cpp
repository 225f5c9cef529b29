#include "journal/sqlite_sound_part.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace nissa::journal {
namespace {

// Where a digest may stand: in a commit that put no rows the one before it has the same.
constexpr std::size_t digests_looked_at = 16;

// Each by itself: a fault of the index does not hide the table, and the other way round.
constexpr const char* by_index =
    "SELECT key, generation, rowid FROM rows INDEXED BY sqlite_autoindex_rows_1 ORDER BY key, generation";
constexpr const char* by_table = "SELECT key, generation, rowid FROM rows NOT INDEXED ORDER BY rowid";

}  // namespace

JournalResult<std::unique_ptr<SoundPart>> SoundPart::of(const Options& options, const std::string& path) {
  auto store = std::make_unique<Store>(options, path);
  if (auto opened = store->open_damaged(); !opened) return std::unexpected(opened.error());
  std::unique_ptr<SoundPart> part(new SoundPart(std::move(store)));
  part->find_rows();
  return part;
}

void SoundPart::find_rows() {
  for (const char* list : {by_index, by_table}) {
    known_ = find_rows_by(list) && all_known();
    if (known_) break;
  }
  std::ranges::sort(rows_, [](const Row& a, const Row& b) {
    const auto order = std::lexicographical_compare_three_way(a.key.begin(), a.key.end(), b.key.begin(), b.key.end());
    return order != 0 ? order < 0 : a.generation < b.generation;
  });
}

bool SoundPart::find_rows_by(const char* list) {
  rows_.clear();
  Statement all, by_rowid;
  int code = all.prepare(store_->connection(), list);
  if (code == SQLITE_OK)
    code = by_rowid.prepare(store_->connection(), "SELECT key, generation, crc, value FROM rows WHERE rowid = ?1");
  if (code != SQLITE_OK) return false;
  while ((code = all.step()) == SQLITE_ROW) {
    const ByteView key = all.blob(0);
    Row row{.key = Bytes(key.begin(), key.end()), .generation = all.number(1), .rowid = all.number(2)};
    if (!look_up(by_rowid, row)) return false;
    // The table says nothing of itself twice.
    row.identified = row.sound || (row.identified && list == by_index);
    rows_.push_back(std::move(row));
  }
  return code == SQLITE_DONE;
}

// `row` bears what the list says of it. False: there is none in the table.
bool SoundPart::look_up(Statement& by_rowid, Row& row) const {
  const ResetAtEnd reset(by_rowid);
  if (by_rowid.bind(1, row.rowid).step() != SQLITE_ROW) return false;
  const ByteView key = by_rowid.blob(0);
  const std::uint64_t generation = by_rowid.number(1);
  const ByteView value = by_rowid.blob(3);
  row.stored_crc = static_cast<std::uint32_t>(by_rowid.number(2));
  row.crc = row_crc(key, generation, value);
  row.identified = std::ranges::equal(key, row.key) && generation == row.generation;
  row.sound = row.crc == row.stored_crc && by_rowid.number(2) == row.stored_crc;
  if (row.sound) {
    row.key.assign(key.begin(), key.end());
    row.generation = generation;
  } else if (!row.identified && row_crc(row.key, row.generation, value) == row.stored_crc) {
    row.sound = true;
  }
  return true;
}

// With the one that is not sound as it says that it was, or, if it is the CRC that was damaged, as it is.
bool SoundPart::all_known() {
  RowDigest digest;
  for (const Row& row : rows_) digest.add(row.stored_crc);
  const auto vouched = last_digests();
  if (std::ranges::find(vouched, digest) != vouched.end()) return true;
  const auto unsound = std::ranges::find(rows_, false, &Row::sound);
  if (unsound == rows_.end()) return false;
  digest.remove(unsound->stored_crc);
  digest.add(unsound->crc);
  if (std::ranges::find(vouched, digest) == vouched.end()) return false;
  unsound->sound = unsound->identified = true;
  return true;
}

// Of records that need not be sound themselves: what fits all rows is no accident. From both ends, as far as they go.
std::vector<RowDigest> SoundPart::last_digests() const {
  std::vector<RowDigest> digests;
  Statement upwards, downwards;
  if (downwards.prepare(store_->connection(), "SELECT row_count, row_sum FROM records ORDER BY lsn DESC") == SQLITE_OK)
    while (digests.size() < digests_looked_at && downwards.step() == SQLITE_ROW)
      digests.push_back({.count = downwards.number(0), .sum = downwards.number(1)});
  if (upwards.prepare(store_->connection(), "SELECT row_count, row_sum FROM records ORDER BY lsn") == SQLITE_OK)
    while (upwards.step() == SQLITE_ROW) {
      if (digests.size() >= 2 * digests_looked_at) digests.erase(digests.end() - digests_looked_at);
      digests.push_back({.count = upwards.number(0), .sum = upwards.number(1)});
    }
  return digests;
}

bool SoundPart::lacks_rows(std::uint64_t generation) const {
  if (generation == 0) return false;
  if (!known_) return true;
  for (auto row = rows_.begin(); row != rows_.end(); ++row) {
    if (row->sound) continue;
    if (!row->identified) return true;
    if (row->generation > generation) continue;
    const auto next = row + 1;
    const bool superseded = next != rows_.end() && next->key == row->key && next->generation <= generation;
    if (!superseded) return true;
  }
  return false;
}

JournalStatus SoundPart::read_rows(const RowVisitor& visit) {
  if (!known_) return {};
  Statement by_rowid;
  if (by_rowid.prepare(store_->connection(), "SELECT value FROM rows WHERE rowid = ?1") != SQLITE_OK) return {};
  for (const Row& row : rows_) {
    if (!row.sound) continue;
    const ResetAtEnd reset(by_rowid);
    if (by_rowid.bind(1, row.rowid).step() != SQLITE_ROW)
      return std::unexpected(JournalError{Damage::rows_missing, "a row that was read cannot be read again"});
    if (!visit(row.key, row.generation, by_rowid.blob(0))) return {};
  }
  return {};
}

// Looked up one by one, so that damage to one page does not end the reading of others.
JournalStatus SoundPart::read_records(Lsn from, const RecordVisitor& visit) {
  Statement one;
  if (one.prepare(store_->connection(), "SELECT crc, row_count, row_sum, bytes FROM records WHERE lsn = ?1") !=
      SQLITE_OK)
    return {};
  for (Lsn lsn = from;; ++lsn) {
    const ResetAtEnd reset(one);
    if (one.bind(1, lsn).step() != SQLITE_ROW) return {};
    const ByteView bytes = one.blob(3);
    if (record_crc(lsn, {one.number(1), one.number(2)}, bytes) != one.number(0)) return {};
    if (!visit(lsn, bytes)) return {};
  }
}

}  // namespace nissa::journal
