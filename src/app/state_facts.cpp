#include "app/state_facts.hpp"

#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "journal/sqlite_store.hpp"
#include "journal/state_files.hpp"
#include "ledger/record.hpp"
#include "ledger/row_bytes.hpp"

namespace nissa::app {
namespace {

using journal::Damage;
using journal::JournalError;
using journal::Lsn;

std::vector<FileSize> files_in(const std::string& directory) {
  std::vector<FileSize> files;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    const auto bytes = entry->file_size(gone);
    if (!gone && entry->path().filename() != "lock") files.push_back({entry->path().filename().string(), bytes});
  }
  std::ranges::sort(files, {}, &FileSize::name);
  return files;
}

void read_anchor(const std::string& directory, StateFacts& facts) {
  const auto file = journal::open_anchor_file("", directory + "/" + journal::anchor_name, false);
  if (!file) return;
  facts.anchor_there = true;
  for (std::size_t slot = 0; slot < facts.slots.size(); ++slot) {
    const auto bytes = (*file)->read(journal::anchor_slot_offset[slot], journal::anchor_slot_size);
    facts.slots[slot] = bytes ? journal::decode_slot(*bytes) : std::unexpected(journal::SlotFault::damaged);
  }
}

// The sound slot that counts; nullptr: there is none.
const journal::AnchorState* winner_of(const StateFacts& facts) {
  const journal::AnchorState* winner = nullptr;
  for (const auto& slot : facts.slots)
    if (slot && (winner == nullptr || is_newer(*slot, *winner))) winner = &*slot;
  return winner;
}

std::string database_of(const StateFacts& facts) {
  if (const auto* winner = winner_of(facts)) return winner->database;
  for (const FileSize& file : facts.files)
    if (journal::is_database(file.name)) return file.name;
  return {};
}

void read_rows(journal::Store& store, StateFacts& facts) {
  const auto read = store.read_rows([&](ByteView key, std::uint64_t generation, ByteView value) {
    ++facts.rows.sound;
    facts.rows.bytes += key.size() + value.size();
    if (const auto object = ledger::object_of_key(key); object && *object == ledger::snapshot_complete)
      if (const auto snapshot = ledger::read_snapshot_value(generation, value)) facts.complete.push_back(*snapshot);
    return true;
  });
  if (!read) facts.rows.damage = read.error();
}

std::optional<JournalError> unreadable(Lsn lsn, ByteView bytes) {
  const Result<ledger::Record> record = ledger::decode_record(bytes);
  const auto of_record = [lsn](Damage damage, const std::string& what) {
    return JournalError{damage, "record " + std::to_string(lsn) + " " + what};
  };
  if (!record) return of_record(Damage::bad_crc, "cannot be read: " + record.error().message);
  if (record->lsn != lsn) return of_record(Damage::gap, "is in truth record " + std::to_string(record->lsn));
  return std::nullopt;
}

// After a damaged record it goes on with the next one.
void read_records(journal::Store& store, RecordFacts& records) {
  for (Lsn from = store.first_lsn(); from <= store.last_lsn();) {
    Lsn next = from;
    std::optional<JournalError> fault;
    const auto read = store.read_records(from, [&](Lsn lsn, ByteView bytes) {
      fault = unreadable(lsn, bytes);
      if (fault) return false;
      ++next;
      ++records.sound;
      records.bytes += bytes.size();
      return true;
    });
    if (next > from) records.ranges.push_back({from, next - 1});
    if (!read && !fault) fault = read.error();
    if (!fault) return;
    if (!records.damage) records.damage = fault;
    if (records.ranges.size() == RecordFacts::most_ranges || fault->damage == Damage::database_damaged) return;
    from = next + 1;
  }
}

}  // namespace

journal::JournalResult<journal::Opened> open_copy(const std::string& directory) {
  static const SystemClock clock;  // which outlives the journal
  journal::Options options;
  options.directory = directory;
  auto opened = journal::open_journal(options, clock);
  if (opened && opened->new_state) return std::unexpected(JournalError{Damage::none, "holds no state"});
  return opened;
}

StateFacts read_facts(const std::string& directory) {
  StateFacts facts;
  facts.files = files_in(directory);
  read_anchor(directory, facts);
  facts.database = database_of(facts);
  if (const auto* winner = winner_of(facts)) facts.backup = winner->copy;
  if (std::ranges::find(facts.files, facts.database, &FileSize::name) == facts.files.end()) {
    facts.unopened = JournalError{Damage::database_missing, directory + " holds no database " + facts.database};
    return facts;
  }
  const journal::Options options;
  journal::Store store(options, directory + "/" + facts.database);
  if (const auto opened = store.open(); !opened) {
    facts.unopened = opened.error();
    if (opened.error().damage != Damage::bad_crc) return facts;  // only the last record is not what was written
  }
  facts.state_id = store.state_id();
  facts.generation = store.generation();
  facts.first_lsn = store.first_lsn();
  facts.last_lsn = store.last_lsn();
  read_rows(store, facts);
  read_records(store, facts.records);
  return facts;
}

}  // namespace nissa::app
